import CSystem
import Glibc

/// A small process that outlives this one, however this one ends, and then kills the process
/// groups that were started under it.
///
/// A child dies with the thread that started it, but what the child itself started does not.
package final class ProcessGuard: Sendable {
    /// Where it is told of process groups.
    let descriptor: Int32
    private let pid: pid_t

    package init() throws(SystemError) {
        let pipe = try Pipe()
        self.descriptor = pipe.writeEnd
        self.pid = squall_guard(pipe.readEnd)
        let number = errno
        _ = close(pipe.readEnd)
        guard self.pid > 0 else {
            _ = close(pipe.writeEnd)
            throw SystemError(
                call: "fork",
                errno: number,
                message: "Raise the limit of processes (ulimit -u) or stop some"
            )
        }
    }

    /// Kills what is left of the groups and ends the guard.
    deinit {
        _ = close(self.descriptor)
        while waitpid(self.pid, nil, 0) < 0, errno == EINTR {}
    }

    /// Notes that a group has ended, so that its number may be another's.
    package func forget(_ group: pid_t) {
        var message = -group
        _ = write(self.descriptor, &message, MemoryLayout<pid_t>.size)
    }
}
