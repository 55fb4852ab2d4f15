import Mesh

/// Checks that the parts of a topology fit together.
struct TopologyChecks {
    private let topology: Topology
    private var reader: DocumentReader
    private let services = DocumentPath.root["services"]
    private let topics = DocumentPath.root["topics"]
    private let links = DocumentPath.root["links"]
    private let outside = DocumentPath.root["outside"]

    static func run(_ topology: Topology, _ reader: inout DocumentReader) {
        var checks = TopologyChecks(topology, reader)
        checks.checkNames()
        checks.checkServices()
        checks.checkTopics()
        checks.checkLinks()
        checks.checkMissingLinks()
        checks.checkLoad()
        checks.checkLimits()
        reader = checks.reader
    }

    private init(_ topology: Topology, _ reader: DocumentReader) {
        self.topology = topology
        self.reader = reader
    }

    /// Everyone who may stand at an end of a link.
    private var parties: [String] {
        self.topology.services.map(\.name) + self.topology.outside.map(\.name)
    }

    private func topic(_ name: String) -> Topology.Topic? {
        self.topology.topics.first { $0.name == name }
    }

    // MARK: Names

    private mutating func checkNames() {
        if self.topology.services.isEmpty { self.reader.report(self.services, "there is none") }
        for party in self.topology.outside where self.topology.service(party.name) != nil {
            self.reader.report(self.outside[party.name], "a service has that name already")
        }
        for service in self.topology.services where service.name == "hub" {
            self.reader.report(self.services["hub"], "'hub' is the mesh's own process")
        }
        for party in self.topology.outside where party.name == "hub" {
            self.reader.report(self.outside["hub"], "'hub' is the mesh's own process")
        }
        for topic in self.topology.topics {
            for (index, type) in topic.types.enumerated() {
                let first = self.topology.topics.first { $0.types.contains(type) }
                guard let first, first.name != topic.name else { continue }
                self.reader.report(
                    self.topics[topic.name]["types"][index],
                    "the type '\(type)' is the topic '\(first.name)'s already"
                )
            }
        }
    }

    private mutating func checkTopicNames(_ names: [String], _ path: DocumentPath) {
        let known = self.topology.topics.map(\.name)
        // Where all topics are missing, that is said once.
        if known.isEmpty { return }
        for (index, name) in names.enumerated() where !known.contains(name) {
            let shown = DocumentPath.printable(name)
            self.reader.report(
                path[index],
                "there is no topic '\(shown)'",
                Suggestion.closest(to: name, among: known).map { "did you mean '\($0)'?" }
                    ?? "declare it under topics"
            )
        }
    }

    // MARK: Services

    private mutating func checkServices() {
        for service in self.topology.services {
            let path = self.services[service.name]
            self.checkTopicNames(service.consumes, path["consumes"])
            self.checkTopicNames(service.emits, path["emits"])
            self.checkPartitions(service, path)
            for (index, name) in service.emits.enumerated() where self.topic(name)?.sync == .never {
                self.reader.report(
                    path["emits"][index],
                    "what a turn emits is always synced, but the topic '\(name)' has sync: never",
                    "set its sync to always"
                )
            }
            if case .command = service.program { self.checkTypes(service, path) }
            if service.consumes.isEmpty, service.emits.isEmpty {
                self.reader.warn(path, "consumes nothing and emits nothing")
            }
        }
        for party in self.topology.outside {
            self.checkTopicNames(party.emits, self.outside[party.name]["emits"])
        }
    }

    /// The type of what a command emits decides the topic.
    private mutating func checkTypes(_ service: Topology.Service, _ path: DocumentPath) {
        for (index, name) in service.emits.enumerated() where self.topic(name)?.types == [] {
            self.reader.warn(
                path["emits"][index],
                "the topic '\(name)' names no types, so a command cannot emit to it",
                "add types: [\"something.happened.v1\"] to the topic"
            )
        }
    }

    private mutating func checkPartitions(_ service: Topology.Service, _ path: DocumentPath) {
        let consumed = service.consumes.compactMap(self.topic)
        guard let first = consumed.first else { return }
        if let other = consumed.first(where: { $0.partitions != first.partitions }) {
            self.reader.report(
                path["consumes"],
                "'\(first.name)' has \(first.partitions) partitions, '\(other.name)' has "
                    + "\(other.partitions); topics that one service consumes need the same number"
            )
        } else if service.instances > first.partitions {
            self.reader.warn(
                path["instances"],
                "\(service.instances) instances share \(first.partitions) partitions: "
                    + "\(service.instances - first.partitions) will have nothing to do"
            )
        }
    }

    // MARK: Topics

    private mutating func checkTopics() {
        for topic in self.topology.topics {
            let path = self.topics[topic.name]
            let isEmitted =
                self.topology.services.contains { $0.emits.contains(topic.name) }
                || self.topology.outside.contains { $0.emits.contains(topic.name) }
            let isConsumed = self.topology.services.contains { $0.consumes.contains(topic.name) }
            if !isEmitted { self.reader.warn(path, "nobody emits to this topic") }
            if !isConsumed, !topic.recordOnly {
                self.reader.warn(
                    path,
                    "nobody consumes this topic",
                    "set recordOnly: true if it is only for the record"
                )
            }
            if isConsumed, topic.recordOnly {
                self.reader.report(path["recordOnly"], "a service consumes this topic")
            }
        }
    }

    // MARK: Links

    private mutating func checkLinks() {
        for (index, link) in self.topology.links.enumerated() {
            let path = self.links[index]
            guard self.checkEnd(link.from, path["from"]), self.checkEnd(link.to, path["to"]) else {
                continue
            }
            let first = self.topology.links.firstIndex { $0.from == link.from && $0.to == link.to }
            if let first, first != index {
                self.reader.report(
                    path,
                    "the link from '\(link.from)' to '\(link.to)' is declared already, "
                        + "as links[\(first)]"
                )
            }
            self.checkUse(link, path)
            self.checkFaultTypes(link, path["faults"])
        }
        for party in self.topology.outside where party.kind != .shoppers {
            if self.topology.links.contains(where: { $0.to == party.name }) { continue }
            self.reader.warn(
                self.outside[party.name],
                "no link leads to this party: nobody calls it"
            )
        }
    }

    private mutating func checkEnd(_ name: String, _ path: DocumentPath) -> Bool {
        if self.parties.contains(name) { return true }
        let shown = DocumentPath.printable(name)
        self.reader.report(
            path,
            "there is no service or outside party '\(shown)'",
            Suggestion.closest(to: name, among: self.parties).map { "did you mean '\($0)'?" }
        )
        return false
    }

    private mutating func checkUse(_ link: Topology.Link, _ path: DocumentPath) {
        let target = self.topology.outside.first { $0.name == link.to }
        if let target {
            if target.kind == .shoppers {
                self.reader.report(path["to"], "nothing leads to shoppers: they only publish")
            } else if self.topology.service(link.from) == nil {
                self.reader.report(path["from"], "only services call outside parties")
            }
            if !link.faults.isEmpty {
                self.reader.report(
                    path["faults"],
                    "calls of an outside party take no hub, which could make them go wrong",
                    "give the party faults: outside.\(target.name).faults"
                )
            }
            return
        }
        if self.topology.outside.contains(where: { $0.name == link.from && $0.kind != .shoppers }) {
            self.reader.report(
                path["from"],
                "'\(link.from)' only answers calls; it emits nothing",
                "turn the link round"
            )
            return
        }
        if self.topology.topics(from: link.from, to: link.to).isEmpty {
            self.reader.warn(
                path,
                "no event can use this link: "
                    + "'\(link.to)' consumes nothing that '\(link.from)' emits"
            )
        }
    }

    private mutating func checkFaultTypes(_ link: Topology.Link, _ path: DocumentPath) {
        let topics = self.topology.topics(from: link.from, to: link.to).compactMap(self.topic)
        // A topic that names no types may carry any.
        if topics.isEmpty || topics.contains(where: \.types.isEmpty) { return }
        let known = topics.flatMap(\.types)
        for (index, fault) in link.faults.enumerated() {
            guard let type = fault.type, !known.contains(type) else { continue }
            self.reader.report(
                path[index]["type"],
                "no event of the type '\(DocumentPath.printable(type))' takes this link",
                Suggestion.hint(for: type, among: known)
            )
        }
    }

    private mutating func checkMissingLinks() {
        let producers =
            self.topology.services.map(\.name)
            + self.topology.outside.filter { $0.kind == .shoppers }.map(\.name)
        for consumer in self.topology.services {
            for producer in producers {
                let topics = self.topology.topics(from: producer, to: consumer.name)
                let isDeclared = self.topology.links.contains {
                    $0.from == producer && $0.to == consumer.name
                }
                if topics.isEmpty || isDeclared { continue }
                self.reader.report(
                    self.links,
                    "'\(consumer.name)' consumes \(topics.joined(separator: ", ")), which "
                        + "'\(producer)' emits, but no link leads there",
                    "add {from: \"\(producer)\", to: \"\(consumer.name)\"}"
                )
            }
        }
    }

    // MARK: Load and limits

    private mutating func checkLoad() {
        let shoppers = self.topology.outside.filter { $0.kind == .shoppers }
        if self.topology.load != nil, shoppers.isEmpty {
            self.reader.report(
                DocumentPath.root["load"],
                "there is nobody to place these orders",
                "add shoppers: {kind: \"shoppers\", emits: [\"orders.placed\"]} under outside"
            )
        }
        for extra in shoppers.dropFirst() where self.topology.load != nil {
            self.reader.report(
                self.outside[extra.name],
                "'\(shoppers[0].name)' places the orders already; there is one load"
            )
        }
        if self.topology.load == nil, let party = shoppers.first {
            self.reader.warn(self.outside[party.name], "places no orders: 'load' is missing")
        }
    }

    private mutating func checkLimits() {
        let limits = self.topology.limits.mesh
        if limits.eventBytesMax > self.topology.log.segmentBytes {
            self.reader.report(
                DocumentPath.root["limits"]["eventBytesMax"],
                "an event of \(ByteSize.text(Int64(limits.eventBytesMax))) does not fit "
                    + "a segment of " + ByteSize.text(Int64(self.topology.log.segmentBytes)),
                "raise log.segmentBytes"
            )
        }
        // Beside the instances and the outside parties there are the launcher and its commands.
        let needed =
            self.topology.services.reduce(8) { $0 + $1.instances } + self.topology.outside.count
        if needed > limits.connectionsMax {
            self.reader.report(
                DocumentPath.root["limits"]["connectionsMax"],
                "\(limits.connectionsMax) connections are too few: this topology needs \(needed)"
            )
        }
    }
}
