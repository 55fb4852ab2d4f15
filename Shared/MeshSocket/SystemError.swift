import Glibc

/// A system call that failed: which, on what, why, and what to do next.
package struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The system call, such as `connect`.
    package var call: String
    /// The system's number for the cause.
    package var errno: Int32
    /// The file, socket or program it was about; empty where there is none.
    package var path: String
    /// What to do next; empty where the cause says it all.
    package var message: String

    package init(call: String, errno: Int32, path: String = "", message: String = "") {
        self.call = call
        self.errno = errno
        self.path = path
        self.message = message
    }

    /// Creates an error from the current `errno`.
    static func last(_ call: String, path: String = "", message: String = "") -> SystemError {
        SystemError(call: call, errno: Glibc.errno, path: path, message: message)
    }

    /// The system's words for a cause.
    package static func words(for errno: Int32) -> String {
        guard let words = strerror(errno) else { return "error \(errno)" }
        return String(cString: words)
    }

    package var description: String {
        var text = self.call
        if !self.path.isEmpty { text += " \(self.path)" }
        text += ": \(Self.words(for: self.errno)) (errno \(self.errno))"
        if !self.message.isEmpty { text += ". \(self.message)" }
        return text
    }
}
