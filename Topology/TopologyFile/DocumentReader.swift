import Mesh

/// Reads values out of a document and collects everything that is wrong with them.
///
/// Each method gives a usable value even where the document has none, so that reading goes on and
/// all problems come out at once.
package struct DocumentReader {
    /// An object whose keys were checked against its shape.
    package struct Section {
        package var path: DocumentPath
        package var node: JSONNode

        /// Returns the value of a key; nil where it is absent.
        package subscript(key: String) -> JSONNode? {
            guard case .object(let members) = self.node.content else { return nil }
            return members.first { $0.name == key }?.value
        }
    }

    package let file: String
    package private(set) var problems: [Problem] = []
    package private(set) var warnings: [Problem] = []
    private var places: [DocumentPath: Place] = [:]

    private struct Place {
        var line: Int
        var column: Int
    }

    package init(file: String) {
        self.file = file
    }

    // MARK: Problems

    package mutating func report(
        _ path: DocumentPath,
        _ message: String,
        _ suggestion: String? = nil
    ) {
        self.problems.append(self.problem(path, message, suggestion))
    }

    package mutating func warn(_ path: DocumentPath, _ message: String, _ suggestion: String? = nil)
    {
        self.warnings.append(self.problem(path, message, suggestion))
    }

    package mutating func note(_ path: DocumentPath, _ node: JSONNode) {
        self.places[path] = Place(line: node.line, column: node.column)
    }

    private func problem(
        _ path: DocumentPath,
        _ message: String,
        _ suggestion: String?
    ) -> Problem {
        var known = path
        while self.places[known] == nil, !known.steps.isEmpty { known = known.parent }
        let place = self.places[known] ?? Place(line: 1, column: 1)
        return Problem(
            file: self.file,
            line: place.line,
            column: place.column,
            path: path.description,
            message: message,
            suggestion: suggestion
        )
    }

    private mutating func wrong(_ path: DocumentPath, _ wanted: String, _ found: JSONNode) {
        self.report(path, "expected \(wanted), found \(found.kind)")
    }

    // MARK: Objects and lists

    /// Reads an object with fixed keys; nil, and reported, where the value is none.
    package mutating func section(
        _ node: JSONNode,
        _ path: DocumentPath,
        _ shape: Shape
    ) -> Section? {
        // What has a name of its author's choice stays at the place of that name.
        if self.places[path] == nil { self.note(path, node) }
        guard case .object(let members) = node.content else {
            self.wrong(path, "an object", node)
            return nil
        }
        for member in members {
            let memberPath = path[member.name]
            guard shape.keys.contains(member.name) else {
                self.places[memberPath] = Place(line: member.line, column: member.column)
                let hint = Suggestion.hint(for: member.name, among: shape.keys)
                self.report(memberPath, "unknown key", hint)
                continue
            }
            self.note(memberPath, member.value)
        }
        for key in shape.required where !members.contains(where: { $0.name == key }) {
            self.report(path, "the key '\(key)' is missing")
        }
        return Section(path: path, node: node)
    }

    /// Reads the object at a key; nil where it is absent or none.
    package mutating func section(_ parent: Section?, _ key: String, _ shape: Shape) -> Section? {
        guard let parent, let node = parent[key] else { return nil }
        return self.section(node, parent.path[key], shape)
    }

    /// Reads an object whose keys are names that the file's author chose.
    package mutating func named(
        _ parent: Section,
        _ key: String
    ) -> [(name: String, node: JSONNode, path: DocumentPath)] {
        guard let node = parent[key] else { return [] }
        let path = parent.path[key]
        guard case .object(let members) = node.content else {
            self.wrong(path, "an object", node)
            return []
        }
        for member in members {
            self.places[path[member.name]] = Place(line: member.line, column: member.column)
        }
        return members.map { ($0.name, $0.value, path[$0.name]) }
    }

    package mutating func list(
        _ parent: Section?,
        _ key: String
    ) -> [(node: JSONNode, path: DocumentPath)] {
        guard let parent, let node = parent[key] else { return [] }
        let path = parent.path[key]
        guard case .array(let elements) = node.content else {
            self.wrong(path, "a list", node)
            return []
        }
        for (index, element) in elements.enumerated() { self.note(path[index], element) }
        return elements.enumerated().map { ($1, path[$0]) }
    }

    /// Reads a list of texts in which none comes twice.
    package mutating func texts(_ parent: Section?, _ key: String, unique: Bool = true) -> [String]
    {
        var texts: [String] = []
        for (node, path) in self.list(parent, key) {
            guard case .string(let text) = node.content else {
                self.wrong(path, "a text", node)
                continue
            }
            if unique, texts.contains(text) {
                self.report(path, "'\(DocumentPath.printable(text))' is named twice in this list")
            }
            texts.append(text)
        }
        return texts
    }

    // MARK: Single values

    package mutating func text(_ parent: Section?, _ key: String) -> String? {
        guard let parent, let node = parent[key] else { return nil }
        guard case .string(let text) = node.content else {
            self.wrong(parent.path[key], "a text", node)
            return nil
        }
        return text
    }

    package mutating func truth(_ parent: Section?, _ key: String, default value: Bool) -> Bool {
        guard let parent, let node = parent[key] else { return value }
        guard case .bool(let truth) = node.content else {
            self.wrong(parent.path[key], "true or false", node)
            return value
        }
        return truth
    }

    package mutating func whole(
        _ parent: Section?,
        _ key: String,
        in range: ClosedRange<Int>,
        default value: Int
    ) -> Int {
        guard let parent, let node = parent[key] else { return value }
        let path = parent.path[key]
        switch node.content {
        case .int(let number):
            if let number = Int(exactly: number), range.contains(number) { return number }
            let bounds = "from \(range.lowerBound) to \(range.upperBound)"
            self.report(path, "\(number) is out of range: expected a whole number \(bounds)")

        case .string(let text) where Int(text) != nil:
            self.report(path, "expected a number, found a text", "write it without quotes")

        case .double:
            self.report(path, "expected a whole number, found one with a fraction")

        default:
            self.wrong(path, "a whole number", node)
        }
        return value
    }

    package mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ parent: Section?,
        _ key: String,
        default value: Choice
    ) -> Choice where Choice.RawValue == String {
        self.choice(parent, key) ?? value
    }

    package mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ parent: Section?,
        _ key: String
    ) -> Choice? where Choice.RawValue == String {
        guard let parent, let text = self.text(parent, key) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        let shown = DocumentPath.printable(text)
        let list = "expected one of \(known.joined(separator: ", "))"
        let hint = Suggestion.closest(to: text, among: known).map { "did you mean '\($0)'?" }
        self.report(parent.path[key], "unknown value '\(shown)': \(list)", hint)
        return nil
    }

    package mutating func duration(
        _ parent: Section?,
        _ key: String,
        in range: ClosedRange<Duration> = .zero...Duration(days: 3650)
    ) -> Duration? {
        guard let parent, let node = parent[key] else { return nil }
        let path = parent.path[key]
        switch node.content {
        case .string(let text):
            guard let duration = Duration(text: text) else {
                let shown = DocumentPath.printable(text)
                let examples = "write it as \"200ms\", \"3s\" or \"1m\""
                self.report(path, "'\(shown)' is no duration", examples)
                return nil
            }
            if range.contains(duration) { return duration }
            let bounds = "from \(range.lowerBound.text) to \(range.upperBound.text)"
            self.report(path, "\(duration.text) is out of range: expected \(bounds)")

        case .int(let number):
            self.report(path, "expected a duration", "write its unit too, as in \"\(number)ms\"")

        default:
            self.wrong(path, "a duration such as \"200ms\"", node)
        }
        return nil
    }

    package mutating func size(
        _ parent: Section?,
        _ key: String,
        in range: ClosedRange<Int>,
        default value: Int
    ) -> Int {
        self.size(parent, key, in: range) ?? value
    }

    package mutating func size(
        _ parent: Section?,
        _ key: String,
        in range: ClosedRange<Int>
    ) -> Int? {
        guard let parent, let node = parent[key] else { return nil }
        let path = parent.path[key]
        switch node.content {
        case .string(let text):
            guard let bytes = ByteSize.bytes(text: text) else {
                let shown = DocumentPath.printable(text)
                let examples = "write it as \"512B\", \"64KiB\" or \"16MiB\""
                self.report(path, "'\(shown)' is no number of bytes", examples)
                return nil
            }
            if let bytes = Int(exactly: bytes), range.contains(bytes) { return bytes }
            let bounds = [range.lowerBound, range.upperBound].map { ByteSize.text(Int64($0)) }
            self.report(
                path,
                "\(ByteSize.text(bytes)) is out of range: "
                    + "expected from \(bounds[0]) to \(bounds[1])"
            )

        case .int(let number):
            self.report(path, "expected a number of bytes", "write it as \"\(number)B\"")

        default:
            self.wrong(path, "a number of bytes such as \"16MiB\"", node)
        }
        return nil
    }

    package mutating func ratio(_ parent: Section?, _ key: String) -> Ratio? {
        guard let parent, let node = parent[key] else { return nil }
        return self.ratio(node, parent.path[key])
    }

    package mutating func ratio(_ node: JSONNode, _ path: DocumentPath) -> Ratio? {
        switch node.content {
        case .string(let text):
            if let ratio = Ratio(text: text) { return ratio }
            let shown = DocumentPath.printable(text)
            self.report(path, "'\(shown)' is no ratio", "write it as \"5%\", from 0% to 100%")

        case .object:
            guard let parts = self.section(node, path, .ratio) else { return nil }
            let largest = 1_000_000_000
            let denominator = self.whole(parts, "denominator", in: 1...largest, default: 1)
            let numerator = self.whole(parts, "numerator", in: 0...largest, default: 0)
            if let ratio = Ratio(Int64(numerator), Int64(denominator)) { return ratio }
            self.report(path, "\(numerator)/\(denominator) is more than the whole")

        case .int, .double:
            self.report(path, "expected a ratio, found a number", "write it as \"5%\"")

        default:
            self.wrong(path, "a ratio such as \"5%\"", node)
        }
        return nil
    }

    /// Reads an object of any content that can be written as JSON again.
    package mutating func free(_ parent: Section?, _ key: String) -> JSONValue {
        guard let parent, let node = parent[key] else { return .object([]) }
        let path = parent.path[key]
        guard case .object = node.content else {
            self.wrong(path, "an object", node)
            return .object([])
        }
        self.requireFinite(node, path)
        return node.value
    }

    private mutating func requireFinite(_ node: JSONNode, _ path: DocumentPath) {
        self.note(path, node)
        switch node.content {
        case .double(let number) where !number.isFinite:
            self.report(path, "Infinity and NaN cannot be passed on")

        case .array(let elements):
            for (index, element) in elements.enumerated() {
                self.requireFinite(element, path[index])
            }

        case .object(let members):
            for member in members { self.requireFinite(member.value, path[member.name]) }

        case .null, .bool, .int, .double, .string:
            break
        }
    }
}

extension Duration {
    init(days: Int64) {
        self = .seconds(days * 86_400)
    }
}
