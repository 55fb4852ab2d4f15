import CSystem
import Glibc

/// The calls that take the path of a Unix socket, which the kernel limits to 107 bytes.
enum UnixAddress {
    static let pathBytesMax = 107

    static func check(_ path: String, call: String) throws(SystemError) {
        let length = path.utf8.count
        guard length > pathBytesMax || length == 0 || path.utf8.contains(0) else { return }
        guard length > pathBytesMax else {
            throw SystemError(
                call: call,
                errno: EINVAL,
                path: path,
                message: "A socket path has 1 to \(pathBytesMax) bytes and no zero byte"
            )
        }
        throw SystemError(
            call: call,
            errno: ENAMETOOLONG,
            path: path,
            message: """
                The path has \(length) bytes and a socket path at most \(pathBytesMax): \
                choose a run folder with a shorter path
                """
        )
    }

    /// Returns a connected socket that does not block.
    static func connect(to path: String) throws(SystemError) -> Int32 {
        try self.check(path, call: "connect")
        let fd = squall_unix_socket()
        guard fd >= 0 else {
            throw .last("socket", path: path, message: EventLoop.limitAdvice)
        }
        guard squall_connect(fd, path, path.utf8.count) == 0 else {
            let error = SystemError.last("connect", path: path, message: advice(for: errno))
            _ = close(fd)
            throw error
        }
        return fd
    }

    private static func advice(for errno: Int32) -> String {
        switch errno {
        case ENOENT, ECONNREFUSED:
            return "Nobody listens there: start it, or wait until it is up again"

        case EAGAIN:
            return "The listener has too many callers waiting: it is busy or paused; try again"

        case EACCES, EPERM:
            return "The socket belongs to another user"

        default:
            return ""
        }
    }

    static func credentials(of fd: Int32) throws(SystemError) -> PeerIdentity {
        var identity = PeerIdentity()
        guard squall_peer_credentials(fd, &identity.pid, &identity.uid, &identity.gid) == 0 else {
            throw .last("getsockopt SO_PEERCRED")
        }
        return identity
    }
}

struct PeerIdentity {
    var pid: pid_t = 0
    var uid: uid_t = 0
    var gid: gid_t = 0
}
