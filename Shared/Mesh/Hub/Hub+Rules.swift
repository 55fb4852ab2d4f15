extension LinkRule {
    /// The rule as a status shows it.
    var json: JSONValue {
        [
            "number": .int(Int64(self.number)),
            "rule": .string(self.name),
            "bitten": .int(Int64(self.bitten)),
            "standing": .bool(self.isStanding),
        ]
    }
}

extension Hub {
    // MARK: Arming

    /// Arms a fault of the topology file, which stands for as long as the hub.
    package func armStanding(_ fault: LinkFault, from: String, to: String) {
        _ = self.rules.arm(from: from, to: to, fault, isStanding: true)
        self.rulesChanged()
    }

    func arm(_ request: JSONValue, _ now: Instant) -> JSONValue {
        guard let from = request["from"]?.string, let to = request["to"]?.string else {
            return ["error": "a link needs 'from' and 'to'"]
        }
        let fault: LinkFault
        do {
            fault = try Self.fault(request)
        } catch {
            return ["error": .string(error.description)]
        }
        if let problem = self.problem(from, to, fault) { return ["error": .string(problem)] }
        let number = self.rules.arm(from: from, to: to, fault)
        if fault.kind == .cut, to == "hub" { self.setCut(from, true) }
        self.rulesChanged()
        return ["number": .int(Int64(number)), "rule": .string("\(from)→\(to) \(fault)")]
    }

    /// Arms several faults in one step, so that nothing passes a link in between.
    ///
    /// Answers for each of them with its number, or with why it cannot be armed.
    func armTogether(_ request: JSONValue, _ now: Instant) -> JSONValue {
        ["armed": .array((request["faults"]?.array ?? []).map { self.arm($0, now) })]
    }

    /// Reads a fault, or the short form that names its kind as what is to be done.
    private static func fault(_ request: JSONValue) throws(LinkFault.Unreadable) -> LinkFault {
        if let fault = request["fault"] { return try LinkFault(json: fault) }
        guard let kind = (request["do"]?.string).flatMap(LinkFault.Kind.init(rawValue:)) else {
            throw LinkFault.Unreadable(description: "a link needs a 'fault'")
        }
        var fault = LinkFault(kind: kind)
        switch kind {
        case .delay, .hold: fault.by = .milliseconds(request["milliseconds"]?.int ?? 100)
        case .throttle: fault.rate = Int(clamping: request["rate"]?.int ?? 1)
        case .drop, .duplicate, .reorder, .corrupt:
            fault.chance = Ratio(min(1000, max(0, request["perMille"]?.int ?? 1000)), 1000) ?? .one
        case .cut: break
        }
        return fault
    }

    private func problem(_ from: String, _ to: String, _ fault: LinkFault) -> String? {
        let names = self.layout.services.map(\.name) + self.layout.publishers.map(\.name)
        if to == "hub" {
            guard names.contains(from) else {
                return "nobody named '\(from)' talks to the hub; there are "
                    + names.joined(separator: ", ")
            }
        } else if from != "*", to != "*",
            !self.layout.links.contains(where: { $0.from == from && $0.to == to })
        {
            let links = self.layout.links.map { "\($0.from)→\($0.to)" }.joined(separator: ", ")
            return "there is no link \(from)→\(to); links are \(links)"
        }
        if fault.kind == .cut, self.rules.isCut(from: from, to: to, hop: fault.hop) {
            return "\(from)→\(to) is cut already; `squall heal` heals it"
        }
        return nil
    }

    /// Tells clients whether what they send has to be sealed.
    private func rulesChanged() {
        for id in self.connections.keys.sorted() {
            guard let connection = self.connections[id], let hello = connection.hello,
                hello.role == .service || hello.role == .publisher,
                connection.isSealing != self.rules.wantsSeals
            else { continue }
            self.tellSeals(id, self.rules.wantsSeals)
        }
    }

    func tellSeals(_ id: ConnectionID, _ isSealing: Bool) {
        self.connections[id]?.isSealing = isSealing
        self.send(to: id) { $0.frame(.seal) { $0.u8(isSealing ? 1 : 0) } }
    }

    /// Whether no rule is about what a service is sent, and none holds anything of it back.
    func isUntouched(_ service: Int, _ partition: Int) -> Bool {
        guard self.services[service][partition].parkedSubjects.isEmpty else { return false }
        return self.rules.receivers.isEmpty
            || !self.rules.receivers.contains(self.layout.services[service].name)
    }

    // MARK: Healing

    /// Heals one rule, several in one step, or all that do not stand in the topology file.
    func heal(_ request: JSONValue, _ now: Instant) -> JSONValue {
        let numbers =
            request["numbers"]?.array?.compactMap(\.int) ?? request["number"]?.int.map { [$0] }
        let healed = self.rules.heal { rule in
            numbers?.contains(Int64(rule.number)) ?? !rule.isStanding
        }
        for rule in healed where rule.isHubCut && !self.isCutOff(rule.from) {
            self.setCut(rule.from, false)
            self.replayHeld(rule.from, now)
        }
        self.rulesChanged()
        self.unparkHealed()
        for id in self.connections.keys.sorted() { self.framesCameDue(id, now) }
        if numbers == nil {
            for service in self.handicaps.keys.sorted() { self.setHandicap(service, 0) }
            self.handicaps = [:]
        }
        return ["healed": .array(healed.map(\.json))]
    }

    /// Whether a fault cuts a client off from the hub.
    func isCutOff(_ name: String) -> Bool {
        self.rules.rules.contains { $0.isHubCut && $0.from == name }
    }

    private func setCut(_ name: String, _ isCut: Bool) {
        for id in self.connections.keys.sorted() {
            guard let connection = self.connections[id], connection.hello?.name == name
            else { continue }
            connection.isCut = isCut
            if !isCut { self.hasOutput(id) }
        }
    }

    private func replayHeld(_ name: String, _ now: Instant) {
        for id in self.connections.keys.sorted() {
            guard let connection = self.connections[id], connection.hello?.name == name
            else { continue }
            if !connection.waitsForRoom { self.replayHeld(of: connection, id, now) }
        }
    }
}
