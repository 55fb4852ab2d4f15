import Glibc
import Mesh

/// A disk in a folder of the file system.
///
/// One owner appends; others may read the same folder while it does, each through a disk of its
/// own. After a sync failed the kernel may have dropped the pages it could not write and report
/// success next time, so every later append and sync of that file fails too.
package final class FolderDisk: Disk {
    private final class OpenFile {
        let fd: Int32
        let writable: Bool
        /// Created here, and the folder does not know it durably yet.
        var isNew: Bool
        var unsynced = false
        /// Where the next append goes in a file that is overwritten; nil where to its end.
        var overwriting: Int?
        var lastUse: UInt64 = 0

        init(fd: Int32, writable: Bool, isNew: Bool) {
            self.fd = fd
            self.writable = writable
            self.isNew = isNew
        }
    }

    /// The folder's path.
    package let folder: String

    /// Each may keep a file on the disk that was removed meanwhile, or take part in a limit.
    private static let openFilesMax = 8

    private var open: [String: OpenFile] = [:]
    private var uses: UInt64 = 0
    /// What went wrong with a file when its sync failed.
    private var lost: [String: String] = [:]

    /// Opens a folder, and creates it (not those above it) where `create` says so.
    package init(folder: String, create: Bool = true) throws(DiskError) {
        self.folder = folder
        if create, mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw Self.error("mkdir", folder)
        }
        var status = stat()
        guard stat(folder, &status) == 0 else { throw Self.error("stat", folder) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw DiskError(.failed, "\(folder) is no folder: move it away")
        }
    }

    deinit {
        for file in self.open.values { _ = close(file.fd) }
    }

    package func list() throws(DiskError) -> [String] {
        guard let directory = opendir(self.folder) else { throw Self.error("opendir", self.folder) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let capacity = Int(entry.pointee.d_reclen)
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: capacity) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    package func size(of file: String) throws(DiskError) -> Int {
        let path = try self.path(of: file)
        var status = stat()
        if let known = self.open[file], known.writable {
            if let end = known.overwriting { return end }
            guard fstat(known.fd, &status) == 0 else { throw Self.error("fstat", path) }
            return Int(status.st_size)
        }
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw Self.error("stat", path) }
            return 0
        }
        return Int(status.st_size)
    }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        let path = try self.path(of: file)
        guard let known = try self.reader(file, path), count > 0 else { return [] }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let received = pread(
                    known.fd,
                    buffer.baseAddress?.advanced(by: initialized),
                    count - initialized,
                    off_t(offset + initialized)
                )
                if received < 0, errno == EINTR { continue }
                if received < 0 { failure = errno }
                if received <= 0 { return }
                initialized += received
            }
        }
        guard failure == 0 else { throw Self.error("pread", path, failure) }
        return bytes
    }

    package func append(_ bytes: [UInt8], to file: String) throws(DiskError) {
        let path = try self.path(of: file)
        try self.checkNotLost(file, path)
        let known = try self.writer(file, path)
        try self.write(bytes, to: known, path)
        guard let end = known.overwriting else { return }
        try self.write(Self.endMark, to: known, path)
        known.overwriting = end
    }

    private static let endMark = [UInt8](repeating: 0, count: endMarkBytes)

    private func write(_ bytes: [UInt8], to file: OpenFile, _ path: String) throws(DiskError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                let start = buffer.baseAddress?.advanced(by: written)
                let rest = buffer.count - written
                return file.overwriting.map { pwrite(file.fd, start, rest, off_t($0)) }
                    ?? Glibc.write(file.fd, start, rest)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.error("write", path) }
            file.unsynced = true
            file.overwriting = file.overwriting.map { $0 + count }
            written += count
        }
    }

    package func reserve(_ file: String, upTo bytes: Int) throws(DiskError) {
        let path = try self.path(of: file)
        try self.checkNotLost(file, path)
        let known = try self.writer(file, path)
        let size = try self.size(of: file)
        guard bytes > size else { return }
        if let failure = FileRoom.reserve(known.fd, from: size, to: bytes) {
            throw Self.error(failure.call, path, failure.errno)
        }
    }

    package func sync(_ file: String) throws(DiskError) {
        let path = try self.path(of: file)
        try self.checkNotLost(file, path)
        guard let known = self.open[file], known.writable else { return }
        if known.unsynced {
            guard fdatasync(known.fd) == 0 else { throw self.lose(file, "fdatasync", path) }
            known.unsynced = false
        }
        if known.isNew {
            try self.syncFolder()
            known.isNew = false
        }
    }

    package func truncate(_ file: String, to size: Int) throws(DiskError) {
        let path = try self.path(of: file)
        try self.checkNotLost(file, path)
        let known = try self.writer(file, path)
        guard ftruncate(known.fd, off_t(size)) == 0 else { throw Self.error("ftruncate", path) }
        guard fsync(known.fd) == 0 else { throw self.lose(file, "fsync", path) }
        known.unsynced = false
        guard known.overwriting != nil else { return }
        known.overwriting = nil
        guard fcntl(known.fd, F_SETFL, O_RDWR | O_APPEND) == 0 else {
            throw Self.error("fcntl", path)
        }
    }

    package var recycles: Bool { true }

    package func rewind(_ file: String) throws(DiskError) {
        let path = try self.path(of: file)
        try self.checkNotLost(file, path)
        let known = try self.writer(file, path)
        guard fcntl(known.fd, F_SETFL, O_RDWR) == 0 else { throw Self.error("fcntl", path) }
        known.overwriting = 0
    }

    package func rename(_ file: String, to name: String) throws(DiskError) {
        let (path, newPath) = (try self.path(of: file), try self.path(of: name))
        guard Glibc.rename(path, newPath) == 0 else { throw Self.error("rename", path) }
        self.forget(name)
        self.open[name] = self.open.removeValue(forKey: file)
        self.lost[name] = self.lost.removeValue(forKey: file)
        try self.syncFolder()
    }

    package func remove(_ file: String) throws(DiskError) {
        let path = try self.path(of: file)
        self.forget(file)
        self.lost[file] = nil
        guard unlink(path) == 0 else {
            guard errno == ENOENT else { throw Self.error("unlink", path) }
            return
        }
        try self.syncFolder()
    }

    // MARK: Files

    private func path(of file: String) throws(DiskError) -> String {
        guard !file.isEmpty, file != ".", file != "..", !file.utf8.contains(UInt8(ascii: "/")),
            !file.utf8.contains(0)
        else { throw DiskError(.failed, "'\(file)' is not the name of a file in \(self.folder)") }
        return "\(self.folder)/\(file)"
    }

    /// Returns nil where the file does not exist.
    private func reader(_ file: String, _ path: String) throws(DiskError) -> OpenFile? {
        if let known = self.open[file] {
            self.touch(known)
            return known
        }
        let fd = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else {
            guard errno == ENOENT else { throw Self.error("open", path) }
            return nil
        }
        return self.keep(OpenFile(fd: fd, writable: false, isNew: false), as: file)
    }

    private func writer(_ file: String, _ path: String) throws(DiskError) -> OpenFile {
        if let known = self.open[file], known.writable {
            self.touch(known)
            return known
        }
        self.forget(file)
        var fd = Glibc.open(path, O_RDWR | O_APPEND | O_CLOEXEC)
        let isNew = fd < 0 && errno == ENOENT
        if isNew { fd = Glibc.open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600) }
        guard fd >= 0 else { throw Self.error("open", path) }
        return self.keep(OpenFile(fd: fd, writable: true, isNew: isNew), as: file)
    }

    private func keep(_ opened: OpenFile, as file: String) -> OpenFile {
        if self.open.count >= Self.openFilesMax {
            // Never one with unsynced data: its descriptor is what reports a failed write-back.
            let idle = self.open.filter {
                !$0.value.unsynced && !$0.value.isNew && $0.value.overwriting == nil
            }
            if let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                self.forget(oldest.key)
            }
        }
        self.open[file] = opened
        self.touch(opened)
        return opened
    }

    private func touch(_ file: OpenFile) {
        self.uses += 1
        file.lastUse = self.uses
    }

    private func forget(_ file: String) {
        guard let known = self.open.removeValue(forKey: file) else { return }
        _ = close(known.fd)
    }

    private func syncFolder() throws(DiskError) {
        let fd = Glibc.open(self.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard fd >= 0 else { throw Self.error("open", self.folder) }
        defer { _ = close(fd) }
        guard fsync(fd) == 0 else {
            throw DiskError(.syncFailed, Self.error("fsync", self.folder).message)
        }
    }

    // MARK: Errors

    private func checkNotLost(_ file: String, _ path: String) throws(DiskError) {
        guard let cause = self.lost[file] else { return }
        throw DiskError(
            .syncFailed,
            "\(path) takes nothing any more, because a sync of it failed: \(cause)"
        )
    }

    private func lose(_ file: String, _ call: String, _ path: String) -> DiskError {
        let message = Self.error(call, path).message
        self.lost[file] = message
        return DiskError(.syncFailed, message)
    }

    private static func error(
        _ call: String,
        _ path: String,
        _ number: Int32 = errno
    ) -> DiskError {
        let full = number == ENOSPC || number == EDQUOT
        let advice = full ? "Make room on the disk" : ""
        let error = SystemError(call: call, errno: number, path: path, message: advice)
        return DiskError(full ? .full : .failed, error.description)
    }
}
