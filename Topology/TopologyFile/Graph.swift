import Mesh

/// Draws a topology: who is linked to whom, and which topics the links carry.
package struct Graph {
    /// How a graph is written.
    package enum Format: String, Sendable, CaseIterable {
        /// For a terminal.
        case text
        /// For Markdown.
        case mermaid
        /// For Graphviz.
        case dot
    }

    private let topology: Topology

    init(_ topology: Topology) {
        self.topology = topology
    }

    func written(as format: Format) -> String {
        switch format {
        case .text: self.text
        case .mermaid: self.mermaid
        case .dot: self.dot
        }
    }

    // MARK: Parts

    private func isOutside(_ name: String) -> Bool {
        self.topology.outside.contains { $0.name == name }
    }

    /// Everyone in the graph, publishers first.
    private var nodes: [String] {
        let shoppers = self.topology.outside.filter { $0.kind == .shoppers }.map(\.name)
        let called = self.topology.outside.filter { $0.kind != .shoppers }.map(\.name)
        return shoppers + self.topology.services.map(\.name) + called
    }

    private func note(_ name: String) -> String? {
        if let service = self.topology.service(name) {
            return service.instances > 1 ? "× \(service.instances)" : nil
        }
        return self.isOutside(name) ? "outside" : nil
    }

    private func labels(_ link: Topology.Link) -> [String] {
        let topics = self.topology.topics(from: link.from, to: link.to)
        let carried = self.isOutside(link.to) ? ["calls"] : topics
        return (carried.isEmpty ? ["nothing"] : carried) + link.faults.map { "! \($0)" }
    }

    private func recorded(_ name: String) -> [String] {
        let emits = self.topology.service(name)?.emits ?? []
        return emits.filter { topic in
            !self.topology.services.contains { $0.consumes.contains(topic) }
        }
    }

    // MARK: Formats

    /// Who reads the topics that no service consumes.
    private static let record = "(record)"

    private var text: String {
        let counts = [
            Self.count(self.topology.services.count, "service"),
            Self.count(self.topology.topics.count, "topic"),
            Self.count(self.topology.links.count, "link"),
            Self.count(self.topology.outside.count, "outside party", "outside parties"),
        ]
        var lines = ["\(self.topology.name): \(counts.joined(separator: ", "))"]
        let width = (self.topology.links.map(\.to) + [Self.record]).map(\.count).max() ?? 0
        for name in self.nodes {
            lines.append("")
            lines.append(self.note(name).map { "\(name) (\($0))" } ?? name)
            for link in self.topology.links where link.from == name {
                let padding = String(repeating: " ", count: width - link.to.count)
                let indent = String(repeating: " ", count: width + 6)
                let labels = self.labels(link).joined(separator: "\n\(indent)")
                lines.append("  → \(link.to)\(padding)  \(labels)")
            }
            for topic in self.recorded(name) {
                let padding = String(repeating: " ", count: width - Self.record.count)
                lines.append("  → \(Self.record)\(padding)  \(topic)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var mermaid: String {
        let nodes = self.nodes
        var lines = ["flowchart LR"]
        for (index, name) in nodes.enumerated() {
            let label = self.note(name).map { "\(name)<br/>\($0)" } ?? name
            let shape = self.isOutside(name) ? ("([\"", "\"])") : ("[\"", "\"]")
            lines.append("    n\(index)\(shape.0)\(label)\(shape.1)")
        }
        for link in self.topology.links {
            guard let from = nodes.firstIndex(of: link.from),
                let to = nodes.firstIndex(of: link.to)
            else { continue }
            let labels = self.labels(link).map(Self.escapedForMermaid).joined(separator: "<br/>")
            let arrow = self.isOutside(link.to) ? "-.->" : "-->"
            lines.append("    n\(from) \(arrow)|\"\(labels)\"| n\(to)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var dot: String {
        var lines = ["digraph \"\(self.topology.name)\" {", "    rankdir=LR;"]
        for name in self.nodes {
            let label = self.note(name).map { "\(name)\\n\($0)" } ?? name
            let shape = self.isOutside(name) ? "ellipse" : "box"
            lines.append("    \"\(name)\" [shape=\(shape), label=\"\(label)\"];")
        }
        for link in self.topology.links {
            let labels = self.labels(link).map(Self.escapedForDot).joined(separator: "\\n")
            let style = self.isOutside(link.to) ? ", style=dashed" : ""
            lines.append("    \"\(link.from)\" -> \"\(link.to)\" [label=\"\(labels)\"\(style)];")
        }
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        number == 1 ? "1 \(one)" : "\(number) \(many ?? one + "s")"
    }

    // Names have no such characters, but the subject of a standing fault may.
    private static func escapedForMermaid(_ text: String) -> String {
        Self.replaced(text) { "\"<>#&;|`".unicodeScalars.contains($0) ? "#\($0.value);" : nil }
    }

    private static func escapedForDot(_ text: String) -> String {
        Self.replaced(text) { "\"\\".unicodeScalars.contains($0) ? "\\\($0)" : nil }
    }

    private static func replaced(
        _ text: String,
        _ replacement: (Unicode.Scalar) -> String?
    ) -> String {
        text.unicodeScalars.reduce(into: "") { $0 += replacement($1) ?? String($1) }
    }
}

extension Topology {
    /// Returns a drawing of services, outside parties and links, with the topics they carry.
    package func graph(_ format: Graph.Format) -> String {
        Graph(self).written(as: format)
    }
}
