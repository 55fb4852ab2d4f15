/// A place that breaks a rule of the house.
struct Violation: Hashable, CustomStringConvertible {
    var path: String
    var line: Int
    var message: String

    var description: String { "\(self.path):\(self.line): \(self.message)" }
}

/// What every file must keep to; each rule gives the places that do not.
enum Rules {
    static let fileLinesMax = 500
    static let functionLinesMax = 70
    static let columnsMax = 100
    static let fileBytesMax = 2_000_000

    /// What no pure module and no service may touch: whatever varies comes from the `Host`.
    static let banned = [
        "Bool.random", "CommandLine.", "ContinuousClock", "Date()", "Date.now", "DispatchQueue",
        "MainActor", "SuspendingClock", "SystemRandomNumberGenerator", "Task.detached",
        "Task.sleep", "Thread.", "UUID()", "getenv", "print(", ".hashValue", ".randomElement(",
        "readLine(", ".random(in", ".random(using", ".shuffle(", ".shuffled(",
    ]

    /// Work that a service must not start: it would run outside of its turn.
    static let bannedInServices = ["Task {", "Task(", "Task.immediate"]

    // MARK: Imports and bans

    static func imports(of source: SwiftSource) -> [(module: String, line: Int)] {
        source.codeLines.enumerated().compactMap { index, line in
            var words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let keyword = words.firstIndex(of: "import") else { return nil }
            let modifiers: Set = ["public", "package", "internal", "fileprivate", "private"]
            guard words[..<keyword].allSatisfy({ modifiers.contains($0) || $0.hasPrefix("@") })
            else { return nil }
            words.removeFirst(keyword + 1)
            // `import struct Mesh.Event` imports Mesh.
            let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let"]
            if let first = words.first, kinds.contains(first) { words.removeFirst() }
            let module = words.first?.prefix { $0 != "." && $0 != ";" }
            return module.map { (String($0), index + 1) }
        }
    }

    static func forbiddenImports(in source: SwiftSource) -> [Violation] {
        guard let house = House.part(of: source.path) else {
            return [Violation(path: source.path, line: 1, message: "belongs to no known module")]
        }
        return self.imports(of: source).filter { !house.imports.contains($0.module) }.map {
            Violation(
                path: source.path,
                line: $0.line,
                message: "\(house.folder) must not import \($0.module)"
            )
        }
    }

    static func bannedWords(in source: SwiftSource) -> [Violation] {
        guard House.part(of: source.path)?.isPure ?? true else { return [] }
        let isService = source.path.hasPrefix("Services/")
        let banned = self.banned + (isService ? self.bannedInServices : [])
        return source.codeLines.enumerated().flatMap { index, line in
            banned.filter { Self.names($0, in: line) }.map {
                Violation(
                    path: source.path,
                    line: index + 1,
                    message: "'\($0)' makes runs differ; ask the host instead"
                )
            }
        }
    }

    /// Whether a line has a word that is no part of a longer one.
    private static func names(_ word: String, in line: String) -> Bool {
        line.ranges(of: word).contains { range in
            guard let first = word.first, first.isLetter, range.lowerBound > line.startIndex else {
                return true
            }
            let before = line[line.index(before: range.lowerBound)]
            return !before.isLetter && !before.isNumber && before != "_" && before != "."
        }
    }

    static func packageDependencies(in source: SwiftSource) -> [Violation] {
        source.codeLines.enumerated().flatMap { index, line in
            [".package(", ".binaryTarget(", ".plugin("].filter(line.contains).map {
                Violation(path: source.path, line: index + 1, message: "'\($0)': no packages here")
            }
        }
    }

    // MARK: Length

    static func longFile(_ source: SwiftSource) -> [Violation] {
        let count = source.lines.count - (source.lines.last == "" ? 1 : 0)
        if count <= self.fileLinesMax { return [] }
        let message = "\(count) lines, more than \(self.fileLinesMax)"
        return [Violation(path: source.path, line: 1, message: message)]
    }

    static func longLines(_ path: String, _ text: String) -> [Violation] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
            guard $1.count > self.columnsMax else { return nil }
            let message = "\($1.count) columns, more than \(self.columnsMax)"
            return Violation(path: path, line: $0 + 1, message: message)
        }
    }

    static func longFunctions(in source: SwiftSource) -> [Violation] {
        Functions.find(in: source).compactMap { function in
            guard function.lineCount > self.functionLinesMax else { return nil }
            return Violation(
                path: source.path,
                line: function.line,
                message: "the function has \(function.lineCount) lines, more than "
                    + "\(self.functionLinesMax)"
            )
        }
    }

    // MARK: Texts

    /// Notes to oneself and paths of one machine do not belong in the project.
    static func leftovers(_ path: String, _ text: String) -> [Violation] {
        // Put together here so that this file does not break its own rule.
        let notes = ["FIX" + "ME", "TO" + "DO"]
        let paths = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"]
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap {
            index,
            line in
            (notes + paths).filter { line.contains($0) }.map {
                Violation(path: path, line: index + 1, message: "'\($0)' is left over")
            }
        }
    }

    static func titles(_ path: String, _ text: String) -> [Violation] {
        var isCode = false
        var count = 0
        for line in text.split(separator: "\n") {
            if line.hasPrefix("```") { isCode.toggle() }
            if !isCode, line.hasPrefix("# ") { count += 1 }
        }
        if count == 1 { return [] }
        return [Violation(path: path, line: 1, message: "\(count) titles; a page has one")]
    }
}
