import Mesh

extension Topology {
    /// Parses a topology file (JSON5).
    ///
    /// Messages call the file `file`.
    ///
    /// - Throws: ``TopologyError`` with every problem that there is, each with its place.
    package static func parse(
        _ text: String,
        file: String
    ) throws(TopologyError) -> Topology {
        let root: JSONNode
        do {
            root = try JSONParser.parse(text, dialect: .json5)
        } catch {
            throw TopologyError([Self.problem(error, file)])
        }
        return try Self.read(root, file)
    }

    /// Parses the bytes of a topology file, which may turn out to be no text.
    package static func parse(
        utf8 bytes: [UInt8],
        file: String
    ) throws(TopologyError) -> Topology {
        let root: JSONNode
        do {
            root = try JSONParser.parse(utf8: bytes, dialect: .json5)
        } catch {
            throw TopologyError([Self.problem(error, file)])
        }
        return try Self.read(root, file)
    }

    private static func problem(_ error: JSONError, _ file: String) -> Problem {
        Problem(
            file: file,
            line: error.line,
            column: error.column,
            path: "",
            message: error.message
        )
    }

    private static func read(_ root: JSONNode, _ file: String) throws(TopologyError) -> Topology {
        var reader = DocumentReader(file: file)
        var topology = reader.topology(root)
        if let topology { TopologyChecks.run(topology, &reader) }
        let problems = Self.sorted(reader.problems)
        topology?.warnings = Self.sorted(reader.warnings)
        guard let topology, problems.isEmpty else { throw TopologyError(problems) }
        return topology
    }

    /// Returns the problems in the order of the text, those of one place as they were found.
    private static func sorted(_ problems: [Problem]) -> [Problem] {
        problems.enumerated()
            .sorted { left, right in
                (left.element.line, left.element.column, left.offset)
                    < (right.element.line, right.element.column, right.offset)
            }
            .map(\.element)
    }
}
