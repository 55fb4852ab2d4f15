import Glibc

/// A clock for measuring how long work takes.
package struct Stopwatch {
    private let start = Self.now()

    /// Starts measuring.
    package init() {}

    /// The nanoseconds of the clock that it reads.
    package static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    package var nanoseconds: Int64 { Self.now() - self.start }
    package var seconds: Double { Double(self.nanoseconds) / 1e9 }
}
