/// Where in a document something is: the keys and indexes that lead there.
package struct DocumentPath: Hashable, CustomStringConvertible {
    package enum Step: Hashable {
        case key(String)
        case index(Int)
    }

    package var steps: [Step] = []

    package static let root = DocumentPath()

    /// The path one level further out.
    package var parent: DocumentPath { DocumentPath(steps: Array(self.steps.dropLast())) }

    package subscript(key: String) -> DocumentPath { DocumentPath(steps: self.steps + [.key(key)]) }
    package subscript(index: Int) -> DocumentPath {
        DocumentPath(steps: self.steps + [.index(index)])
    }

    /// The path as `services.orders.consumes[1]`; keys with other characters stand in quotes.
    package var description: String {
        var text = ""
        for step in self.steps {
            switch step {
            case .index(let index):
                text += "[\(index)]"

            case .key(let key):
                if !text.isEmpty { text += "." }
                let isPlain =
                    !key.isEmpty
                    && key.utf8.allSatisfy { byte in
                        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                            || byte == UInt8(ascii: "$")
                            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    }
                text += isPlain ? key : "\"\(Self.printable(key))\""
            }
        }
        return text
    }

    /// Returns a text from a file in a form that is safe to print.
    package static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(80) {
            let isControl = scalar.properties.generalCategory == .control
            result.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
        }
        return text.unicodeScalars.count > 80 ? result + "…" : result
    }
}
