/// Why a text is no JSON document, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was wrong, and what would be right.
    public var message: String
    /// The line, from 1.
    public var line: Int
    /// The column in Unicode scalars, from 1.
    public var column: Int

    /// Creates an error about one place in a text.
    public init(_ message: String, line: Int, column: Int) {
        self.message = message
        self.line = line
        self.column = column
    }

    /// The place and the message.
    public var description: String { "line \(self.line), column \(self.column): \(self.message)" }
}
