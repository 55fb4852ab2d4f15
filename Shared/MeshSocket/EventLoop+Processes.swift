import CSystem
import Glibc

/// How a process ended.
package enum ProcessExit: Sendable, Hashable, CustomStringConvertible {
    case exited(code: Int32)
    case signalled(signal: Int32)

    package var description: String {
        switch self {
        case .exited(let code):
            return "exited with code \(code)"

        case .signalled(let signal):
            return "was ended by signal \(signal) (\(SignalName.name(of: signal)))"
        }
    }
}

/// The names of signals.
package enum SignalName {
    private static let names: [(Int32, String)] = [
        (SIGHUP, "SIGHUP"), (SIGINT, "SIGINT"), (SIGQUIT, "SIGQUIT"), (SIGILL, "SIGILL"),
        (SIGTRAP, "SIGTRAP"), (SIGABRT, "SIGABRT"), (SIGBUS, "SIGBUS"), (SIGFPE, "SIGFPE"),
        (SIGKILL, "SIGKILL"), (SIGUSR1, "SIGUSR1"), (SIGSEGV, "SIGSEGV"), (SIGUSR2, "SIGUSR2"),
        (SIGPIPE, "SIGPIPE"), (SIGALRM, "SIGALRM"), (SIGTERM, "SIGTERM"), (SIGCONT, "SIGCONT"),
        (SIGSTOP, "SIGSTOP"), (SIGXCPU, "SIGXCPU"), (SIGXFSZ, "SIGXFSZ"), (SIGSYS, "SIGSYS"),
    ]

    /// Returns the usual name of a signal, or its number where it has none.
    package static func name(of signal: Int32) -> String {
        self.names.first { $0.0 == signal }?.1 ?? "signal \(signal)"
    }
}

extension EventLoop {
    /// Calls `action` for each of `signals` that arrives, instead of what it would do otherwise.
    ///
    /// Blocks them for the calling thread and those it starts later, so call it before any other
    /// thread exists.
    package func onSignals(
        _ signals: [Int32],
        _ action: @escaping (Int32) -> Void
    ) throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let fd = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard fd >= 0 else { throw .last("signalfd", message: Self.limitAdvice) }
        try self.watch(fd) {
            var information = signalfd_siginfo()
            let size = MemoryLayout<signalfd_siginfo>.size
            while read(fd, &information, size) == size {
                action(Int32(bitPattern: information.ssi_signo))
            }
        }
    }

    /// Calls `action` once, when the child process ended, and leaves no zombie.
    ///
    /// - Parameters:
    ///   - pid: A child of this process.
    ///   - endsGroup: Kills what is left of the child's process group, which it must lead, so
    ///     that what it started ends with it.
    ///   - action: Is told how the child ended.
    /// - Throws: `SystemError` where there is no such child.
    package func watchExit(
        of pid: pid_t,
        endsGroup: Bool = false,
        _ action: @escaping (ProcessExit) -> Void
    ) throws(SystemError) {
        let fd = squall_pidfd_open(pid)
        guard fd >= 0 else { throw .last("pidfd_open", path: "process \(pid)") }
        do throws(SystemError) {
            try self.watch(fd) {
                // While it is not reaped, its number and that of its group cannot be another's.
                if endsGroup { _ = kill(-pid, SIGKILL) }
                var signalled: Int32 = 0
                var value: Int32 = 0
                let result = squall_reap(fd, &signalled, &value)
                guard result != 0 else { return }
                self.unwatch(fd)
                _ = close(fd)
                // Someone else reaped it: that it ended is all that can be known.
                guard result > 0 else { return action(.exited(code: -1)) }
                action(signalled != 0 ? .signalled(signal: value) : .exited(code: value))
            }
        } catch {
            _ = close(fd)
            throw error
        }
    }
}
