import Mesh

extension DocumentReader {
    mutating func topology(_ root: JSONNode) -> Topology? {
        guard let document = self.section(root, .root, .document) else { return nil }
        _ = self.text(document, "$schema")
        let name = self.text(document, "name") ?? "topology"
        self.checkName(name, "a topology", DocumentPath.root["name"])
        var topology = Topology(name: name)
        for (name, node, path) in self.named(document, "services") {
            self.checkName(name, "a service", path)
            topology.services.append(self.service(name, node, path))
        }
        for (name, node, path) in self.named(document, "topics") {
            self.checkName(name, "a topic", path)
            topology.topics.append(self.topic(name, node, path))
        }
        for (node, path) in self.list(document, "links") {
            if let link = self.link(node, path) { topology.links.append(link) }
        }
        for (name, node, path) in self.named(document, "outside") {
            self.checkName(name, "an outside party", path)
            topology.outside.append(self.outsideParty(name, node, path))
        }
        topology.load = self.section(document, "load", .load).map { self.load($0) }
        topology.limits = self.limits(self.section(document, "limits", .limits))
        topology.objectives = self.objectives(
            self.section(document, "objectives", .objectives)
        )
        let shutdown = self.section(document, "shutdown", .shutdown)
        topology.shutdown.drainWithin.replace(by: self.duration(shutdown, "drainWithin"))
        topology.shutdown.killAfter.replace(by: self.duration(shutdown, "killAfter"))
        topology.log.segmentBytes = self.size(
            self.section(document, "log", .log),
            "segmentBytes",
            in: 65_536...(4 << 30),
            default: topology.log.segmentBytes
        )
        return topology
    }

    // MARK: Services

    private mutating func service(
        _ name: String,
        _ node: JSONNode,
        _ path: DocumentPath
    ) -> Topology.Service {
        let section = self.section(node, path, .service)
        var service = Topology.Service(name: name, program: self.program(section, path))
        service.instances = self.whole(section, "instances", in: 1...64, default: 1)
        service.consumes = self.texts(section, "consumes")
        service.emits = self.texts(section, "emits")
        service.settings = self.free(section, "settings")
        guard let restart = self.section(section, "restart", .restart) else { return service }
        service.restart.policy = self.choice(
            restart,
            "policy",
            default: service.restart.policy
        )
        service.restart.backoffMin.replace(by: self.duration(restart, "backoffMin"))
        service.restart.backoffMax.replace(by: self.duration(restart, "backoffMax"))
        self.checkOrder(
            service.restart.backoffMin,
            service.restart.backoffMax,
            restart.path
        )
        let crashLoop = self.section(restart, "crashLoop", .crashLoop)
        service.restart.crashLoopCount = self.whole(
            crashLoop,
            "count",
            in: 1...1000,
            default: service.restart.crashLoopCount
        )
        service.restart.crashLoopWithin.replace(by: self.duration(crashLoop, "within"))
        return service
    }

    private mutating func program(_ section: Section?, _ path: DocumentPath) -> Topology.Program {
        guard let section else { return .command([]) }
        if section["executable"] != nil, section["command"] != nil {
            self.report(path, "has both 'executable' and 'command'", "keep one of them")
        }
        if section["executable"] != nil {
            let executable = self.text(section, "executable") ?? "none"
            let isPlain =
                !executable.isEmpty
                && executable.utf8.allSatisfy {
                    Self.isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x5F
                }
            if !isPlain {
                self.report(
                    path["executable"],
                    "'\(DocumentPath.printable(executable))' is no executable beside squall",
                    "give its name only, or use 'command' for any other program"
                )
            }
            return .executable(executable)
        }
        guard section["command"] != nil else {
            self.report(
                path,
                "nothing to run: 'executable' or 'command' is missing",
                "add executable: \"Name\", or command: [\"program\", \"argument\"]"
            )
            return .command([])
        }
        let command = self.texts(section, "command", unique: false)
        if command.first?.isEmpty ?? true {
            self.report(path["command"], "names no program", "write [\"program\", \"argument\"]")
        }
        if command.contains(where: { $0.utf8.contains(0) }) {
            self.report(path["command"], "a program's argument cannot hold a NUL character")
        }
        return .command(command)
    }

    // MARK: Topics and links

    private mutating func topic(
        _ name: String,
        _ node: JSONNode,
        _ path: DocumentPath
    ) -> Topology.Topic {
        for prefix in ["inbox.", "journal."] where name.hasPrefix(prefix) {
            self.report(path, "names that begin with '\(prefix)' are the hub's own")
        }
        var topic = Topology.Topic(name: name)
        let section = self.section(node, path, .topic)
        topic.partitions = self.whole(section, "partitions", in: 1...1024, default: 4)
        topic.sync = self.choice(section, "sync", default: .always)
        topic.recordOnly = self.truth(section, "recordOnly", default: false)
        let retention = self.section(section, "retention", .retention)
        topic.retentionAge = self.duration(
            retention,
            "age",
            in: .seconds(1)...Duration(days: 36_500)
        )
        topic.retentionBytes = self.size(retention, "bytes", in: 65_536...(1 << 50))
        topic.types = self.texts(section, "types")
        for (index, type) in topic.types.enumerated() {
            self.checkName(type, "an event type", path["types"][index])
        }
        return topic
    }

    private mutating func link(_ node: JSONNode, _ path: DocumentPath) -> Topology.Link? {
        let section = self.section(node, path, .link)
        let faults = self.list(section, "faults").compactMap { node, path in
            self.linkFault(node, path)
        }
        guard let from = self.text(section, "from"), let to = self.text(section, "to") else {
            return nil
        }
        return Topology.Link(from: from, to: to, faults: faults)
    }

    private mutating func linkFault(
        _ node: JSONNode,
        _ path: DocumentPath
    ) -> Topology.LinkFault? {
        guard let section = self.section(node, path, .linkFault) else { return nil }
        guard let kind: Topology.LinkFault.Kind = self.choice(section, "kind") else { return nil }
        var fault = Topology.LinkFault(kind: kind)
        fault.type = self.text(section, "type")
        fault.subject = self.text(section, "subject")
        fault.every = self.whole(section, "every", in: 1...1_000_000_000, default: 1)
        fault.chance = self.ratio(section, "chance") ?? .one
        fault.by = self.duration(section, "by", in: .zero...Duration(days: 1))
        fault.jitter = self.duration(section, "jitter", in: .zero...Duration(days: 1))
        fault.hop = self.choice(section, "hop", default: .delivery)
        if section["rate"] != nil {
            fault.rate = self.whole(section, "rate", in: 1...1_000_000_000, default: 1)
        }
        if let needed = Topology.LinkFault.neededKey(for: kind), section[needed.name] == nil {
            self.report(
                path,
                "a \(kind.rawValue) needs '\(needed.name)', \(needed.meaning)"
            )
        }
        for key in Topology.LinkFault.senselessKeys(for: kind) where section[key] != nil {
            self.report(path[key], "means nothing for a \(kind.rawValue)", "leave it out")
        }
        return fault
    }

    // MARK: Outside parties

    private mutating func outsideParty(
        _ name: String,
        _ node: JSONNode,
        _ path: DocumentPath
    ) -> Topology.OutsideParty {
        let section = self.section(node, path, .outsideParty)
        let kind: Topology.OutsideParty.Kind? = self.choice(section, "kind")
        var party = Topology.OutsideParty(name: name, kind: kind ?? .bank)
        party.emits = self.texts(section, "emits")
        party.settings = self.free(section, "settings")
        if kind == .shoppers, party.emits.isEmpty {
            self.report(path, "shoppers need 'emits', the topic they place orders on")
        } else if kind == .bank || kind == .mail, !party.emits.isEmpty {
            self.report(path["emits"], "only shoppers publish; a \(party.kind.rawValue) is called")
        }
        if kind == .bank || kind == .mail {
            self.checkCalled(party.kind, section, path["settings"])
        }
        for (node, path) in self.list(section, "faults") {
            guard let section = self.section(node, path, .partyFault),
                let kind: Topology.PartyFault.Kind = self.choice(section, "kind")
            else { continue }
            let by = self.duration(section, "by", in: .zero...Duration(days: 1))
            if kind == .slow, section["by"] == nil {
                self.report(path, "a slow party needs 'by', how long an answer takes")
            } else if kind != .slow, section["by"] != nil {
                self.report(path["by"], "means nothing for \(kind.rawValue)", "leave it out")
            }
            party.faults.append(Topology.PartyFault(kind: kind, by: by))
        }
        return party
    }

    /// Checks the settings of a party that is called.
    private mutating func checkCalled(
        _ kind: Topology.OutsideParty.Kind,
        _ section: Section?,
        _ path: DocumentPath
    ) {
        let known = kind == .bank ? ["declines", "capacity"] : ["capacity"]
        guard case .object(let members)? = section?["settings"]?.content else { return }
        for member in members {
            if member.name == "declines", kind == .bank {
                _ = self.ratio(member.value, path["declines"])
            } else if member.name == "capacity" {
                guard case .int(1...1_000_000_000) = member.value.content else {
                    self.report(path["capacity"], "expected a whole number of requests a second")
                    continue
                }
            } else if let near = Suggestion.closest(to: member.name, among: known) {
                self.warn(
                    path[member.name],
                    "the \(kind.rawValue) has no such setting",
                    "did you mean '\(near)'?"
                )
            }
        }
    }
}
