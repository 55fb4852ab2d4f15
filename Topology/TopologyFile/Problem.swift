/// Something in a topology file that is wrong, or looks it.
package struct Problem: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// The line, from 1.
    package var line: Int
    /// The column in Unicode scalars, from 1.
    package var column: Int
    /// The key the problem is at, such as `services.orders.consumes[0]`; empty for the document.
    package var path: String
    package var message: String
    /// What to do instead; nil where the message says it.
    package var suggestion: String?

    package init(
        file: String,
        line: Int,
        column: Int,
        path: String,
        message: String,
        suggestion: String? = nil
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.message = message
        self.suggestion = suggestion
    }

    /// One line, such as `shop.json:12:5: services.orders.consume: unknown key; did you mean …`.
    package var description: String {
        let place = "\(self.file):\(self.line):\(self.column): "
        let path = self.path.isEmpty ? "" : "\(self.path): "
        let suggestion = self.suggestion.map { "; \($0)" } ?? ""
        return place + path + self.message + suggestion
    }
}

/// Why a text is no usable topology: all its problems at once, in the order of the text.
package struct TopologyError: Error, Sendable, Hashable, CustomStringConvertible {
    package var problems: [Problem]

    package init(_ problems: [Problem]) {
        self.problems = problems
    }

    /// The problems, one a line.
    package var description: String {
        let shown = self.problems.prefix(50).map(\.description).joined(separator: "\n")
        let rest = self.problems.count - 50
        return rest > 0 ? "\(shown)\n… and \(rest) more problems" : shown
    }
}

/// What looks wrong but does not stop a topology; does not make two topologies differ.
package struct Warnings: Sendable, Hashable {
    package var problems: [Problem]

    package init(_ problems: [Problem] = []) {
        self.problems = problems
    }

    package static func == (left: Warnings, right: Warnings) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
}
