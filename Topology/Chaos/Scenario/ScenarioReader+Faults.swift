import Mesh
import TopologyFile

extension ScenarioReader {
    mutating func fault(
        _ node: JSONNode,
        _ path: DocumentPath,
        _ topology: Topology
    ) -> WrittenFault? {
        guard let section = self.document.section(node, path, .fault),
            let kind: Fault.Kind = self.document.choice(section, "fault"),
            let trigger = self.trigger(section, topology)
        else { return nil }
        var fault = WrittenFault(kind, [], trigger)
        self.targets(&fault, section, topology)
        fault.pick = self.document.choice(section, "pick", default: .all)
        fault.way = self.document.choice(section, "way", default: .one)
        if kind.aim != .link, section["way"] != nil {
            self.document.report(path["way"], "only links have a way", "leave it out")
        }
        self.length(&fault, section)
        self.parameters(&fault, section, topology)
        return fault
    }

    mutating func operation(
        _ node: JSONNode,
        _ path: DocumentPath,
        _ topology: Topology
    ) -> Operation? {
        guard let section = self.document.section(node, path, .operation),
            let kind: Operation.Kind = self.document.choice(section, "do"),
            let service = self.document.text(section, "service"),
            let trigger = self.trigger(section, topology)
        else { return nil }
        self.check(service, among: topology.services.map(\.name), "service", path["service"])
        var operation = Operation(kind, service, .at(.zero))
        switch trigger {
        case .at(let span): operation.trigger = .at(span.least)
        case .after(let event, let span): operation.trigger = .after(event, span.least)
        }
        if kind == .scale {
            operation.instances = self.document.whole(section, "to", in: 1...64, default: 1)
            if section["to"] == nil {
                self.document.report(path, "a scale needs 'to', the number of instances")
            }
        } else if section["to"] != nil {
            self.document.report(path["to"], "means nothing for a \(kind.rawValue)")
        }
        return operation
    }

    // MARK: Targets

    private mutating func targets(
        _ fault: inout WrittenFault,
        _ section: DocumentReader.Section,
        _ topology: Topology
    ) {
        let path = section.path
        let isLink = fault.kind.aim == .link
        for key in isLink ? ["target"] : ["from", "to"] where section[key] != nil {
            self.document.report(
                path[key],
                isLink
                    ? "a \(fault.kind.rawValue) is done to a link"
                    : "a \(fault.kind.rawValue) is done to no link",
                isLink ? "say 'from' and 'to'" : "say 'target'"
            )
        }
        let services = topology.services.map(\.name)
        let instances = topology.services.flatMap(\.instanceNames)
        let publishers = topology.outside.filter { !$0.emits.isEmpty }.map(\.name)
        switch fault.kind.aim {
        case .process:
            let known = services + instances + ["hub"] + topology.parties
            fault.targets = self.names(section, "target", among: known, "process")
        case .service:
            fault.targets = self.names(section, "target", among: services, "service")
        case .party:
            fault.targets = self.names(section, "target", among: topology.parties, "party")
        case .disk:
            fault.targets = self.names(section, "target", among: ["hub"], "disk")
            if fault.targets.isEmpty { fault.targets = ["hub"] }
        case .load:
            fault.targets = self.names(section, "target", among: publishers, "publisher")
            if fault.targets.isEmpty { fault.targets = Array(publishers.prefix(1)) }
        case .link:
            fault.targets = self.names(section, "from", among: services + publishers, "producer")
            fault.consumers = self.names(section, "to", among: services, "consumer")
            var random = SeededRandom(seed: 0)
            if fault.faults(in: topology, &random).isEmpty {
                self.document.report(path, "the topology has no such link", "see squall graph")
            }
        }
    }

    /// Reads a name or a list of names; nothing for `*`.
    private mutating func names(
        _ section: DocumentReader.Section,
        _ key: String,
        among known: [String],
        _ what: String
    ) -> [String] {
        guard let node = section[key] else { return [] }
        let names: [String]
        if case .string(let text) = node.content {
            if text == "*" { return [] }
            names = [text]
            self.check(text, among: known, what, section.path[key])
        } else {
            names = self.document.texts(section, key)
            for (index, name) in names.enumerated() {
                self.check(name, among: known, what, section.path[key][index])
            }
        }
        return names
    }

    private mutating func check(
        _ name: String,
        among known: [String],
        _ what: String,
        _ path: DocumentPath
    ) {
        guard !known.contains(name) else { return }
        self.document.report(
            path,
            "the topology has no \(what) '\(DocumentPath.printable(name))'",
            Suggestion.hint(for: name, among: known)
        )
    }

    // MARK: When and how much

    /// How long it lasts: a time, until it has bitten, or both.
    private mutating func length(_ fault: inout WrittenFault, _ section: DocumentReader.Section) {
        let (kind, path) = (fault.kind, section.path)
        if section["for"] != nil {
            fault.duration = self.span(section, "for") ?? .zero
            if kind.isMomentary {
                self.document.report(
                    path["for"],
                    "a \(kind.rawValue) happens once and is over",
                    "leave it out"
                )
            }
        } else if !kind.isMomentary, kind != .kill {
            if !kind.waitsForBites || section["untilBitten"] == nil {
                self.document.report(path, "the key 'for' is missing: how long it lasts")
            }
        }
        for key in ["untilBitten", "atMost"] where section[key] != nil && !kind.waitsForBites {
            self.document.report(
                path[key],
                "a \(kind.rawValue) bites at once or never",
                "leave it out"
            )
        }
        if section["part"] != nil {
            fault.part = self.document.whole(section, "part", in: 0...1_000_000, default: 0)
        }
        guard kind.waitsForBites else { return }
        let least = section["for"] == nil ? 1 : 0
        fault.untilBitten = self.document.whole(
            section,
            "untilBitten",
            in: least...1_000_000_000,
            default: 1
        )
        let day = Duration.zero...Duration.seconds(24 * 3600)
        fault.atMost = self.document.duration(section, "atMost", in: day)
        if let atMost = fault.atMost, atMost < fault.duration.most {
            self.document.report(path["atMost"], "is shorter than 'for'")
        }
    }

    private mutating func trigger(
        _ section: DocumentReader.Section,
        _ topology: Topology
    ) -> WrittenFault.Trigger? {
        guard section["after"] != nil else {
            if section["at"] == nil {
                self.document.report(section.path, "the key 'at' or 'after' is missing: when")
                return nil
            }
            return self.span(section, "at").map { .at($0) }
        }
        if section["at"] != nil {
            self.document.report(section.path["at"], "has both 'at' and 'after'", "keep one")
        }
        guard let after = self.document.section(section, "after", .eventName),
            let type = self.document.text(after, "event"),
            let source = self.document.text(after, "from")
        else { return nil }
        let types = topology.topics.flatMap(\.types)
        self.check(type, among: types, "event", after.path["event"])
        let emitters = topology.services.map(\.name) + topology.outside.map(\.name)
        self.check(source, among: emitters, "producer", after.path["from"])
        let number = self.document.whole(after, "number", in: 1...1_000_000_000, default: 1)
        let plus = after["plus"] == nil ? Span.zero : self.span(after, "plus") ?? .zero
        return .after(Fault.EventName(number: number, type: type, source: source), plus)
    }

    private mutating func span(_ section: DocumentReader.Section, _ key: String) -> Span? {
        guard let text = self.document.text(section, key) else { return nil }
        guard let span = Span(text: text), span.most <= .seconds(24 * 3600) else {
            self.document.report(
                section.path[key],
                "'\(DocumentPath.printable(text))' is no duration up to a day",
                "write it as \"200ms\" or \"3s\", or as \"200ms..3s\" for the seed to draw"
            )
            return nil
        }
        return span
    }

    private mutating func parameters(
        _ fault: inout WrittenFault,
        _ section: DocumentReader.Section,
        _ topology: Topology
    ) {
        let (kind, path) = (fault.kind, section.path)
        for parameter in Fault.Parameter.allCases where section[parameter.rawValue] != nil {
            if !kind.takes.contains(parameter) {
                self.document.report(
                    path[parameter.rawValue],
                    "means nothing for a \(kind.rawValue)",
                    "leave it out"
                )
            }
        }
        if let needed = kind.needs, section[needed.parameter.rawValue] == nil {
            self.document.report(
                path,
                "a \(kind.rawValue) needs '\(needed.parameter.rawValue)', \(needed.meaning)"
            )
        }
        if section["by"] != nil { fault.by = self.span(section, "by") }
        fault.parameters.jitter = self.document.duration(section, "jitter")
        fault.parameters.chance = self.document.ratio(section, "chance") ?? .one
        let many = 1...1_000_000_000
        fault.parameters.every = self.document.whole(section, "every", in: many, default: 1)
        fault.parameters.hop = self.document.choice(section, "hop", default: .delivery)
        fault.parameters.type = self.document.text(section, "type")
        fault.parameters.subject = self.document.text(section, "subject")
        if let type = fault.parameters.type {
            self.check(type, among: topology.topics.flatMap(\.types), "event", path["type"])
        }
        if section["rate"] != nil {
            fault.parameters.rate = self.document.whole(section, "rate", in: many, default: 1)
        }
        if section["percent"] != nil {
            fault.parameters.percent = self.document.whole(
                section,
                "percent",
                in: 1...99,
                default: 50
            )
        }
        if section["times"] != nil {
            fault.parameters.times = self.document.whole(
                section,
                "times",
                in: 2...10_000,
                default: 2
            )
        }
    }
}
