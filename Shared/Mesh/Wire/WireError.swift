/// Why bytes or JSON could not be read as the value that was expected.
public struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was wrong, and in which field, for a person to read.
    public var message: String

    /// Creates an error that says `message`.
    public init(_ message: String) {
        self.message = message
    }

    /// The message.
    public var description: String { self.message }
}
