import Glibc

/// Waits for changes in a folder, without looking again and again.
package final class FolderWatch {
    private let descriptor: Int32

    /// Starts to watch.
    ///
    /// - Throws: `ControlError` where the folder is not there.
    package init(_ folder: String) throws(ControlError) {
        self.descriptor = inotify_init1(Int32(IN_CLOEXEC))
        let changes = UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF)
        guard self.descriptor >= 0, inotify_add_watch(self.descriptor, folder, changes) >= 0 else {
            let words = String(cString: strerror(errno))
            throw ControlError("cannot watch \(folder): \(words)")
        }
    }

    deinit { close(self.descriptor) }

    /// Waits until something in the folder changes.
    package func wait() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(self.descriptor, &buffer, buffer.count) < 0, errno == EINTR {}
    }
}
