import Glibc

/// Waits for Ctrl-C without being ended by it.
package struct InterruptWatch {
    private var signals = sigset_t()

    /// From now on SIGINT and SIGTERM wait to be asked for; threads made later inherit that.
    package init() {
        sigemptyset(&self.signals)
        sigaddset(&self.signals, SIGINT)
        sigaddset(&self.signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &self.signals, nil)
    }

    /// Waits for at most `milliseconds`; returns whether an interrupt came.
    package mutating func comes(within milliseconds: Int) -> Bool {
        var time = timespec()
        time.tv_sec = milliseconds / 1000
        time.tv_nsec = milliseconds % 1000 * 1_000_000
        return sigtimedwait(&self.signals, nil, &time) > 0
    }
}
