import Mesh
import TopologyFile

/// Adds a new service to the texts that list services; nil where a text has not the usual form.
///
/// Texts are edited, not parsed and written anew, so that comments and layout stay.
struct ProjectEditor {
    let service: NewService

    /// Adds the capability to `let capabilities = […]`, in `Package.swift` and in the house rules.
    func addCapability(to text: String) -> String? {
        guard let start = text.firstRange(of: "let capabilities = [")?.upperBound,
            let end = text[start...].firstIndex(of: "]")
        else { return nil }
        let names =
            text[start..<end].split(separator: ",").map { name in
                String(name.filter { !$0.isWhitespace })
            }.filter { !$0.isEmpty } + ["\"\(self.service.capability)\""]
        let line = text[..<start].split(separator: "\n", omittingEmptySubsequences: false).last
        let indent = String((line ?? "").prefix { $0 == " " })
        let rows = Self.wrapped(names, indent: indent + "    ")
        return text[..<start] + "\n\(rows)\n\(indent)" + text[end...]
    }

    /// Lines of names, each with a comma behind it.
    private static func wrapped(_ names: [String], indent: String) -> String {
        var lines: [String] = []
        var line = indent
        for name in names {
            let piece = "\(name),"
            if line.count + piece.count + 1 > 100 {
                lines.append(line)
                line = indent
            }
            line += line == indent ? piece : " \(piece)"
        }
        return (lines + [line]).joined(separator: "\n")
    }

    /// Adds the service to those that the simulated world links, behind one that is there.
    func addToSimulation(_ text: String, behind known: String) -> String? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let row = lines.lastIndex(where: { $0.contains(".init(\(known).self),") }),
            let imported = lines.firstIndex(of: "import \(known)Service")
        else { return nil }
        lines.insert(lines[row].replacing(known, with: self.service.capability), at: row + 1)
        let line = "import \(self.service.capability)Service"
        var place = imported
        while place > 0, lines[place - 1].hasPrefix("import "), lines[place - 1] > line {
            place -= 1
        }
        while lines[place].hasPrefix("import "), lines[place] < line { place += 1 }
        lines.insert(line, at: place)
        return lines.joined(separator: "\n")
    }

    // MARK: The topology file

    /// What belongs under `services`.
    var serviceEntry: [String] {
        let key = self.service.name.contains("-") ? "\"\(self.service.name)\"" : self.service.name
        let consumes = self.service.topics.map { "\"\($0)\"" }.joined(separator: ", ")
        return [
            "\(key): {",
            "  executable: \"\(self.service.capability)\",",
            "  consumes: [\(consumes)],",
            "},",
        ]
    }

    /// What belongs under `links`: from everyone who emits what the service consumes.
    func links(in topology: Topology) -> [String] {
        let producers =
            topology.services.map { (name: $0.name, emits: $0.emits) }
            + topology.outside.map { (name: $0.name, emits: $0.emits) }
        return producers.filter { $0.emits.contains(where: self.service.topics.contains) }.map {
            "{ from: \"\($0.name)\", to: \"\(self.service.name)\" },"
        }
    }

    /// Adds the service and its links to a topology file; nil where the result would be wrong.
    func addToTopology(_ text: String) -> String? {
        guard let topology = try? Topology.parse(text, file: ""),
            let withService = Self.insert(self.serviceEntry, atEndOf: "services", in: text),
            let result = Self.insert(self.links(in: topology), atEndOf: "links", in: withService),
            let edited = try? Topology.parse(result, file: ""),
            edited.services.count == topology.services.count + 1
        else { return nil }
        return result
    }

    /// Inserts lines before the line that closes a member of the document.
    private static func insert(
        _ entries: [String],
        atEndOf name: String,
        in text: String
    ) -> String? {
        guard case .object(let members)? = (try? JSONParser.parse(text, dialect: .json5))?.content,
            let index = members.firstIndex(where: { $0.name == name })
        else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let end = index + 1 < members.count ? members[index + 1].line - 1 : lines.count
        let begin = members[index].line - 1
        let closing = lines[..<end].lastIndex { line in
            let word = line.trimmed.prefix { $0 != "," }
            return word == "}" || word == "]"
        }
        // The document's own brace is the last one where the member is the last.
        guard let closing, closing > begin, index + 1 < members.count else { return nil }
        let indent = String(lines[closing].prefix { $0 == " " }) + "  "
        let last = lines[begin..<closing].lastIndex { line in
            !line.trimmed.isEmpty && !line.trimmed.hasPrefix("//")
        }
        if let last, last > begin, !lines[last].trimmed.hasSuffix(",") { lines[last] += "," }
        lines.insert(contentsOf: entries.map { indent + $0 }, at: closing)
        return lines.joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmed: String {
        String(self.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
