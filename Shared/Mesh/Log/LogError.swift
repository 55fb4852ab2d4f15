/// Why a log could not be opened, read or written.
package struct LogError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// A committed record no longer has the bytes that were written.
        case corrupt
        /// The log was written with another layout of topics and services.
        case otherLayout
        /// No space is left; nothing was appended.
        case full
        /// The disk failed; what was not durable before is unknown.
        case disk
    }

    package var code: Code
    /// What happened, in which file and at which byte, and what to do next.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(_ error: DiskError) {
        self.init(error.code == .full ? .full : .disk, error.message)
    }

    package var description: String { self.message }
}
