import Glibc

/// The pipe on standard input whose other end the launcher holds.
package enum Lifeline {
    /// Ends this process at once when the launcher is gone.
    ///
    /// Does nothing where standard input is not a pipe, as when a person starts the process.
    package static func watch(on loop: EventLoop) throws(SystemError) {
        var status = stat()
        guard fstat(0, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return }
        let flags = fcntl(0, F_GETFL)
        _ = fcntl(0, F_SETFL, flags | O_NONBLOCK)
        try loop.watch(
            0,
            readable: {
                var bytes = [UInt8](repeating: 0, count: 4096)
                let count = read(0, &bytes, bytes.count)
                if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { _exit(0) }
            },
            writable: {}
        )
    }
}
