/// A command line that makes no sense: what is wrong with it, and what to type instead.
struct UsageError: Error, Hashable, CustomStringConvertible {
    /// What is wrong, naming the word.
    var message: String
    /// A command that helps.
    var hint: String

    var description: String { "\(self.message) (try: \(self.hint))" }
}
