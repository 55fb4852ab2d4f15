import Mesh
import ServiceKit
import TopologyFile

extension Shape {
    static let scenario = Shape(
        "",
        required: ["topology"],
        optional: [
            "$schema", "name", "summary", "with", "orders", "for", "seed", "seeds", "worlds",
            "faults", "operations", "flaws", "brokenBy", "except", "expects", "strategy",
            "snapshotEvery", "atLeast", "convergesWithin",
        ]
    )
    static let fault = Shape(
        "fault",
        required: ["fault"],
        optional: [
            "target", "from", "to", "pick", "way", "at", "after", "for", "untilBitten", "atMost",
            "part",
        ] + Fault.Parameter.allCases.map(\.rawValue)
    )
    static let eventName = Shape(
        "eventName",
        required: ["event", "from"],
        optional: ["number", "plus"]
    )
    static let operation = Shape(
        "operation",
        required: ["do", "service"],
        optional: ["to", "at", "after"]
    )

    /// Every shape of a scenario file.
    package static let scenarioShapes = [scenario, fault, eventName, operation]
}

extension ScenarioFile {
    /// Reads a scenario file (JSON5).
    ///
    /// Messages call the file `file`; `read` returns the bytes of the topology that it names,
    /// whose path is as the file has it.
    ///
    /// - Throws: ``TopologyError`` with every problem that there is, each with its place.
    package init(
        utf8 bytes: [UInt8],
        file: String,
        read: (String) throws(ScenarioError) -> [UInt8]
    ) throws(TopologyError) {
        let root: JSONNode
        do {
            root = try JSONParser.parse(utf8: bytes, dialect: .json5)
        } catch {
            throw TopologyError([
                Problem(
                    file: file,
                    line: error.line,
                    column: error.column,
                    path: "",
                    message: error.message
                )
            ])
        }
        var reader = ScenarioReader(file: file)
        let scenario = reader.scenario(root, read)
        let problems = reader.document.problems.sorted { left, right in
            (left.line, left.column) < (right.line, right.column)
        }
        guard let scenario, problems.isEmpty else { throw TopologyError(problems) }
        self = scenario
    }

    /// Reads one fault, for a topology.
    package init(fault json: JSONNode, topology: Topology) throws(TopologyError) {
        var reader = ScenarioReader(file: "fault")
        self.init(name: "fault", topology: topology, orders: 0)
        if let fault = reader.fault(json, .root, topology) { self.faults = [fault] }
        guard reader.document.problems.isEmpty else {
            throw TopologyError(reader.document.problems)
        }
    }
}

/// Why what a scenario names cannot be had.
package struct ScenarioError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { self.message }
}

/// Reads a scenario file and collects everything that is wrong with it.
struct ScenarioReader {
    var document: DocumentReader

    init(file: String) {
        self.document = DocumentReader(file: file)
    }

    mutating func scenario(
        _ root: JSONNode,
        _ read: (String) throws(ScenarioError) -> [UInt8]
    ) -> ScenarioFile? {
        guard let section = self.document.section(root, .root, .scenario) else { return nil }
        guard let topology = self.topology(section, read) else { return nil }
        var file = ScenarioFile(
            name: self.document.text(section, "name") ?? Self.name(of: self.document.file),
            topology: topology,
            orders: 0
        )
        file.summary = self.document.text(section, "summary") ?? ""
        file.seed = self.seed(section)
        file.orders = self.orders(section, topology, seed: file.seed ?? 1)
        file.seedCount = self.document.whole(
            section,
            "seeds",
            in: 1...1_000_000_000,
            default: file.seedCount
        )
        file.worlds = self.worlds(section)
        for (node, path) in self.document.list(section, "faults") {
            if let fault = self.fault(node, path, topology) { file.faults.append(fault) }
        }
        for (node, path) in self.document.list(section, "operations") {
            if let done = self.operation(node, path, topology) { file.operations.append(done) }
        }
        file.flaws = self.flaws(section, "flaws")
        file.brokenBy = self.flaws(section, "brokenBy")
        file.exceptions = self.exceptions(section, topology)
        file.expects = self.expectation(section, topology)
        file.strategy = self.document.choice(section, "strategy", default: file.strategy)
        if section["snapshotEvery"] != nil {
            file.snapshotEvery = self.document.whole(
                section,
                "snapshotEvery",
                in: 1...1_000_000_000,
                default: 1
            )
        }
        let hours = Duration.zero...Duration.seconds(100 * 3600)
        file.atLeast = self.document.duration(section, "atLeast", in: hours) ?? file.atLeast
        file.convergesWithin =
            self.document.duration(section, "convergesWithin", in: hours) ?? file.convergesWithin
        return file
    }

    /// The last part of a path without its extension.
    private static func name(of file: String) -> String {
        let last = file.split(separator: "/").last.map(String.init) ?? file
        return last.hasSuffix(".json") ? String(last.dropLast(5)) : last
    }

    private mutating func seed(_ section: DocumentReader.Section) -> UInt64? {
        switch section["seed"]?.content {
        case nil: return nil
        case .int(let number) where number >= 0: return UInt64(number)
        case .string(let text):
            if let seed = UInt64(text) { return seed }
        default: break
        }
        self.document.report(section.path["seed"], "expected a whole number from 0")
        return nil
    }

    private mutating func worlds(_ section: DocumentReader.Section) -> [World] {
        guard section["worlds"] != nil else { return World.allCases }
        var worlds: [World] = []
        for (index, text) in self.document.texts(section, "worlds").enumerated() {
            if let world = World(rawValue: text) {
                worlds.append(world)
            } else {
                self.document.report(
                    section.path["worlds"][index],
                    "there is no world '\(DocumentPath.printable(text))'",
                    Suggestion.hint(for: text, among: World.allCases.map(\.rawValue))
                )
            }
        }
        return worlds
    }

    private mutating func flaws(_ section: DocumentReader.Section, _ key: String) -> [String] {
        let known = Flaw.allCases.map(\.rawValue)
        let names = self.document.texts(section, key)
        for (index, name) in names.enumerated() where !known.contains(name) {
            self.document.report(
                section.path[key][index],
                "there is no bug '\(DocumentPath.printable(name))' to plant",
                Suggestion.closest(to: name, among: known).map { "did you mean '\($0)'?" }
                    ?? "see squall sim --list-bugs"
            )
        }
        return names
    }

    private mutating func expectation(
        _ section: DocumentReader.Section,
        _ topology: Topology
    ) -> String? {
        guard let name = self.document.text(section, "expects") else { return nil }
        let known = Judge(layout: topology.layout).names + ScenarioOutcome.Failure.ofNoInvariant
        guard !known.contains(name) else { return name }
        self.document.report(
            section.path["expects"],
            "there is no promise '\(DocumentPath.printable(name))'",
            Suggestion.hint(for: name, among: known)
        )
        return nil
    }

    private mutating func exceptions(
        _ section: DocumentReader.Section,
        _ topology: Topology
    ) -> Set<String> {
        let known = Judge(layout: topology.layout).names
        let names = self.document.texts(section, "except")
        for (index, name) in names.enumerated() where !known.contains(name) {
            self.document.report(
                section.path["except"][index],
                "there is no invariant '\(DocumentPath.printable(name))'",
                Suggestion.closest(to: name, among: known).map { "did you mean '\($0)'?" }
                    ?? "there are \(known.joined(separator: ", "))"
            )
        }
        return Set(names)
    }

    // MARK: Topology and load

    private mutating func topology(
        _ section: DocumentReader.Section,
        _ read: (String) throws(ScenarioError) -> [UInt8]
    ) -> Topology? {
        let path = section.path["topology"]
        var topology: Topology?
        switch section["topology"]?.content {
        case nil: return nil
        case .string(let name):
            do {
                topology = try Topology.parse(utf8: try read(name), file: name)
            } catch let error as TopologyError {
                self.document.report(path, "\(name) is no good topology:\n\(error)")
            } catch {
                self.document.report(path, "\(error)")
            }
        case .object:
            let text = section["topology"]?.value.text ?? ""
            topology = self.parsed(text, path)
        default:
            self.document.report(path, "expected a file's name or an object")
        }
        guard let topology, let change = section["with"] else { return topology }
        guard case .object = change.content else {
            self.document.report(section.path["with"], "expected an object")
            return topology
        }
        let merged = topology.normalized().merging(change.value)
        return self.parsed(merged.text, section.path["with"])
    }

    private mutating func parsed(_ text: String, _ path: DocumentPath) -> Topology? {
        do {
            return try Topology.parse(text, file: self.document.file)
        } catch {
            for problem in error.problems {
                let place = problem.path.isEmpty ? "" : "\(problem.path): "
                self.document.report(path, place + problem.message, problem.suggestion)
            }
            return nil
        }
    }

    /// How many orders are placed: said outright, or as many as the load places in a time.
    private mutating func orders(
        _ section: DocumentReader.Section,
        _ topology: Topology,
        seed: UInt64
    ) -> Int {
        let millions = 0...10_000_000
        guard section["for"] != nil else {
            return self.document.whole(section, "orders", in: millions, default: 100)
        }
        if section["orders"] != nil {
            self.document.report(
                section.path["for"],
                "'orders' and 'for' both say how long orders are placed",
                "keep one of them"
            )
        }
        let hour = Duration.zero...Duration.seconds(3600)
        guard let length = self.document.duration(section, "for", in: hour) else { return 0 }
        var plan = LoadPlan(topology: topology)
        plan.duration = length
        plan.ordersMax = millions.upperBound
        var shoppers = Shoppers(load: plan, seed: seed, start: .zero)
        return shoppers.due(now: .zero + length).count
    }
}
