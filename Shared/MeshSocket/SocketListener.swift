import CSystem
import Glibc
import Mesh

/// A listening Unix socket: takes over what a dead owner left, accepts, counts, cleans up.
final class SocketListener {
    /// Takes over an accepted descriptor; returns the stream, or nil where it could not be used.
    private let onAccept: (SocketStream) -> Void
    /// Told of callers that could not be served.
    var onTrouble: (SystemError) -> Void = { _ in }

    private static let acceptsMax = 64
    private static let backlog: Int32 = 1024
    private static let pauseAfterTrouble = Duration.milliseconds(100)

    private let path: String
    private let loop: EventLoop
    private let connectionsMax: Int
    private let fd: Int32
    /// What bind made of the path, to delete nobody else's socket later.
    private let identity: (device: dev_t, inode: ino_t)
    private var connections = 0
    private var isClosed = false

    init(
        path: String,
        loop: EventLoop,
        mode: UInt32,
        connectionsMax: Int,
        onAccept: @escaping (SocketStream) -> Void
    ) throws(SystemError) {
        try UnixAddress.check(path, call: "bind")
        self.path = path
        self.loop = loop
        self.connectionsMax = connectionsMax
        self.onAccept = onAccept
        self.fd = squall_unix_socket()
        guard self.fd >= 0 else {
            throw .last("socket", path: path, message: EventLoop.limitAdvice)
        }
        do throws(SystemError) {
            self.identity = try Self.bindAndListen(self.fd, path: path, mode: mode)
        } catch {
            _ = Glibc.close(self.fd)
            throw error
        }
        do throws(SystemError) {
            try loop.watch(self.fd) { self.acceptWaiting() }
        } catch {
            _ = unlink(path)
            _ = Glibc.close(self.fd)
            throw error
        }
    }

    private static func bindAndListen(
        _ fd: Int32,
        path: String,
        mode: UInt32
    ) throws(SystemError) -> (device: dev_t, inode: ino_t) {
        // Before bind, so that there is no moment at which others could connect.
        guard fchmod(fd, mode) == 0 else { throw .last("fchmod", path: path) }
        if squall_bind(fd, path, path.utf8.count) != 0 {
            guard errno == EADDRINUSE else {
                throw .last("bind", path: path, message: "Check the folder and its permissions")
            }
            try self.removeStale(path)
            guard squall_bind(fd, path, path.utf8.count) == 0 else {
                throw .last("bind", path: path, message: "Another process took the path just now")
            }
        }
        guard listen(fd, self.backlog) == 0 else { throw .last("listen", path: path) }
        var status = stat()
        guard lstat(path, &status) == 0 else { throw .last("lstat", path: path) }
        return (status.st_dev, status.st_ino)
    }

    /// Deletes the socket of an owner that died; nobody answers on it.
    private static func removeStale(_ path: String) throws(SystemError) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
            throw SystemError(
                call: "bind",
                errno: EADDRINUSE,
                path: path,
                message: "Something that is no socket has this path: move it away"
            )
        }
        let probe = squall_unix_socket()
        guard probe >= 0 else {
            throw .last("socket", path: path, message: EventLoop.limitAdvice)
        }
        defer { _ = Glibc.close(probe) }
        let answered = squall_connect(probe, path, path.utf8.count) == 0
        guard !answered, errno == ECONNREFUSED || errno == ENOENT else {
            throw SystemError(
                call: "bind",
                errno: EADDRINUSE,
                path: path,
                message: "Another process listens there: stop it, or choose another run folder"
            )
        }
        _ = unlink(path)
    }

    private func acceptWaiting() {
        for _ in 0..<Self.acceptsMax {
            guard !self.isClosed else { return }
            let connection = squall_accept(self.fd)
            guard connection >= 0 else {
                switch errno {
                case EAGAIN:
                    return

                case EINTR, ECONNABORTED:
                    continue

                default:
                    self.pauseAccepting(.last("accept", path: self.path, message: Self.advice))
                    return
                }
            }
            self.accepted(connection)
        }
    }

    private static let advice = "Callers wait; \(EventLoop.limitAdvice)"

    private func accepted(_ connection: Int32) {
        guard self.connections < self.connectionsMax else {
            _ = Glibc.close(connection)
            self.onTrouble(
                SystemError(
                    call: "accept",
                    errno: EUSERS,
                    path: self.path,
                    message: "More than \(self.connectionsMax) connections: the caller was refused"
                )
            )
            return
        }
        do {
            let stream = try SocketStream(fd: connection, loop: self.loop)
            self.connections += 1
            stream.onReleased = { self.connections -= 1 }
            self.onAccept(stream)
        } catch {
            self.onTrouble(error)
        }
    }

    /// Out of descriptors or memory: the callers stay in the queue, and the loop does not spin.
    private func pauseAccepting(_ error: SystemError) {
        self.onTrouble(error)
        guard !self.isClosed else { return }
        self.setAccepting(false)
        self.loop.timer(at: self.loop.now() + Self.pauseAfterTrouble) {
            if !self.isClosed { self.setAccepting(true) }
        }
    }

    private func setAccepting(_ accepting: Bool) {
        do {
            try self.loop.modify(self.fd, for: accepting ? .readable : [])
        } catch {
            self.onTrouble(error)
        }
    }

    /// Stops listening and deletes the socket file, if it is still its own.
    func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.loop.unwatch(self.fd)
        _ = Glibc.close(self.fd)
        var status = stat()
        if lstat(self.path, &status) == 0, status.st_dev == self.identity.device,
            status.st_ino == self.identity.inode
        {
            _ = unlink(self.path)
        }
    }
}
