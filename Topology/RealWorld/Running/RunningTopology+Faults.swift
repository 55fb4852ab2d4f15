import Chaos
import Mesh
import MeshSocket
import TopologyFile

/// What is said to the process of an outside party.
enum PartyCommand {
    /// Arms a fault that a command asked for.
    static func arm(
        _ kind: ControlRequest.PartyFaultKind,
        for duration: Duration?
    ) -> JSONValue {
        Self.lasting(["do": "fault", "kind": .string(kind.rawValue)], duration)
    }

    /// Lets each answer come later.
    static func slow(by delay: Duration, for duration: Duration?) -> JSONValue {
        Self.lasting(["do": "fault", "kind": "slow", "by": .string(delay.text)], duration)
    }

    /// Arms a fault that stands in the topology file.
    static func arm(_ fault: Topology.PartyFault) -> JSONValue {
        switch fault.kind {
        case .slow: Self.slow(by: fault.by ?? .zero, for: nil)
        default: ["do": "fault", "kind": .string(fault.kind.rawValue)]
        }
    }

    /// The faults that stand in the topology file, as the party's process reads them at its start.
    static func standing(_ faults: [Topology.PartyFault]) -> JSONValue {
        .array(
            faults.map { fault in
                var members = [JSONValue.Member("kind", .string(fault.kind.rawValue))]
                if let by = fault.by { members.append(.init("by", .string(by.text))) }
                return .object(members)
            }
        )
    }

    private static func lasting(_ json: JSONValue, _ duration: Duration?) -> JSONValue {
        guard let duration, var members = json.object else { return json }
        members.append(JSONValue.Member("for", .string(duration.text)))
        return .object(members)
    }
}

extension RunningTopology {
    /// Puts an armed fault on the board and sees to it that it heals in time.
    func arm(_ fault: FaultBoard.Fault, for duration: Duration?) {
        self.countLocalBites()
        for armed in self.board.armed where armed.fault.isReplaced(by: fault) {
            self.isOver(armed)
        }
        self.board.arm(fault, for: duration, now: self.loop.now())
        self.baselines[fault] = self.counter(of: fault)
        self.armLeaseTimer()
    }

    /// Writes down a fault that was healed or replaced.
    private func isOver(_ armed: FaultBoard.Armed) {
        RunDiary.note(
            RunDiary.Fault(
                text: armed.fault.text,
                targets: armed.fault.targets,
                begin: armed.since,
                end: self.loop.now(),
                bitten: armed.bitten
            )
        )
    }

    /// What grows by one each time the fault bites, where squall can count it itself.
    private func counter(of fault: FaultBoard.Fault) -> Int? {
        switch fault {
        case .slow(LaunchPlan.hub, _): nil
        case .slow(let service, _): self.numbers(of: service)?.events ?? 0
        case .load: self.load?.sentCount ?? 0
        case .crashLoop, .slowProcessor: self.ownBites[fault] ?? 0
        case .paused, .cut, .link, .party, .slowParty: nil
        }
    }

    /// Brings the counts of faults up to date that need nobody else.
    func countLocalBites() {
        for armed in self.board.armed {
            if case .paused(let process) = armed.fault {
                // What waits for a paused process is what the pause holds up.
                self.board.bit(armed.fault, count: max(1, self.numbers(of: process)?.lag ?? 1))
            } else if let count = self.counter(of: armed.fault) {
                let before = self.baselines[armed.fault] ?? 0
                self.board.bit(armed.fault, count: max(0, count - before))
            }
        }
    }

    /// Asks the hub and the outside parties how often their faults bit.
    package func refreshBites() {
        let hubFault = self.board.armed.first { $0.fault.isSlowHub }?.fault
        if !self.rules.isEmpty || hubFault != nil
            || self.plan.topology.links.contains(where: { !$0.faults.isEmpty })
        {
            self.admin.ask(["do": "status"]) { [weak self] result in
                guard let self, case .success(let status) = result else { return }
                self.count(rules: status["rules"]?.array ?? [])
                guard let hubFault, let count = status["slowSyncs"]?.int else { return }
                let before = self.earlierBites(hubFault)
                self.board.bit(hubFault, count: before + Int(clamping: count))
            }
        }
        guard !self.board.armed.isEmpty else { return }
        self.countLocalBites()
        for party in self.parties
        where self.board.armed.contains(where: { $0.fault.party == party.name }) {
            party.ask(["do": "status"]) { [weak self] result in
                guard let self, case .success(let status) = result else { return }
                self.count(status["faults"], of: party.name)
            }
        }
    }

    private func count(rules: [JSONValue]) {
        self.standing = []
        for rule in rules {
            let count = Int(clamping: rule["bitten"]?.int ?? 0)
            if rule["standing"]?.bool == true {
                self.standing.append(
                    TopologyStatus.Fault(
                        text: rule["rule"]?.string ?? "",
                        bitten: count,
                        remaining: nil
                    )
                )
            }
            let fault = self.rules.first { $0.value == rule["number"]?.int }?.key
            if let fault { self.board.bit(fault, count: self.earlierBites(fault) + count) }
        }
    }

    /// How often a fault bit in hubs that are gone.
    func earlierBites(_ fault: FaultBoard.Fault) -> Int { self.ownBites[fault] ?? 0 }

    private func count(_ faults: JSONValue?, of party: String) {
        for entry in faults?.array ?? [] {
            let rule = entry["rule"]?.string ?? ""
            let count = Int(clamping: entry["bitten"]?.int ?? 0)
            for armed in self.board.armed where armed.fault.party == party {
                if rule.hasPrefix(armed.fault.partyRule) {
                    self.board.bit(armed.fault, count: count)
                }
            }
        }
    }

    // MARK: Healing

    /// Heals the fault of a number, or all, then calls `then` with what was healed.
    func heal(
        number: Int? = nil,
        _ then: @escaping ([TopologyStatus.Fault]) -> Void
    ) {
        let faults = self.board.armed.filter { number == nil || $0.number == number }.map(\.fault)
        self.heal(faults, collected: [], then)
    }

    private func heal(
        _ faults: [FaultBoard.Fault],
        collected: [TopologyStatus.Fault],
        _ then: @escaping ([TopologyStatus.Fault]) -> Void
    ) {
        guard let fault = faults.first else { return then(collected) }
        self.heal(fault) { [weak self] healed in
            guard let self else { return }
            self.heal(
                Array(faults.dropFirst()),
                collected: collected + [healed].compactMap(\.self),
                then
            )
        }
    }

    /// Ends one fault and says how often it bit.
    func heal(
        _ fault: FaultBoard.Fault,
        _ then: @escaping (TopologyStatus.Fault?) -> Void
    ) {
        self.countLocalBites()
        let finish = { [weak self] (bitten: Int?) in
            guard let self else { return }
            if let bitten { self.board.bit(fault, count: bitten) }
            self.rules[fault] = nil
            self.baselines[fault] = nil
            self.ownBites[fault] = nil
            let armed = self.board.healed(fault)
            if let armed { self.isOver(armed) }
            self.armLeaseTimer()
            then(
                armed.map {
                    TopologyStatus.Fault(text: $0.fault.text, bitten: $0.bitten, remaining: nil)
                }
            )
        }
        switch fault {
        case .paused(let process):
            self.launcher.resume(process)
            finish(nil)
        case .slow(let service, _):
            let request: JSONValue = ["do": "slow", "service": .string(service), "milliseconds": 0]
            let before = self.earlierBites(fault)
            self.admin.ask(request) { result in
                let count = (try? result.get())?["bitten"]?.int
                finish(count.map { before + Int(clamping: $0) })
            }
        case .cut, .link:
            guard let number = self.rules[fault] else { return finish(nil) }
            let before = self.earlierBites(fault)
            self.admin.ask(["do": "heal", "number": .int(number)]) { result in
                let healed = (try? result.get())?["healed"]?.array?.first
                finish(healed?["bitten"]?.int.map { before + Int(clamping: $0) })
            }
        case .crashLoop, .slowProcessor:
            self.stopBeating(fault)
            finish(nil)
        case .party(let name, _), .slowParty(let name, _):
            self.healParty(name, fault, finish)
        case .load:
            self.resetLoad()
            finish(nil)
        }
    }

    /// A party heals all its faults at once; those that stay are armed again.
    private func healParty(
        _ name: String,
        _ fault: FaultBoard.Fault,
        _ finish: @escaping (Int?) -> Void
    ) {
        guard let party = self.parties.first(where: { $0.name == name }) else { return finish(nil) }
        party.ask(["do": "heal"]) { [weak self] result in
            guard let self else { return }
            self.count((try? result.get())?["healed"], of: name)
            finish(nil)
            let planned = self.plan.topology.outside.first { $0.name == name }
            for standing in planned?.faults ?? [] {
                party.ask(PartyCommand.arm(standing)) { _ in }
            }
            for armed in self.board.armed where armed.fault != fault {
                self.rearm(armed, at: party)
            }
        }
    }

    private func resetLoad() {
        let rate = self.baseRate
        let now = self.loop.now()
        do throws(ControlError) {
            try self.load?.change { (source) throws(ControlError) in
                try source.spike(times: 1, for: .zero, now: now)
                try source.setRate(rate, now: now)
            }
        } catch {
            // A history has no rate to go back to.
            return
        }
    }

    /// The rate that the run started with.
    var baseRate: OrderRate {
        if case .shoppers(let rate?) = self.plan.load { return OrderRate(perSecond: rate) }
        return OrderRate(perSecond: self.plan.topology.load?.rate ?? 0)
    }

    private func armLeaseTimer() {
        if let timer = self.leaseTimer { self.loop.cancel(timer) }
        self.leaseTimer = nil
        guard let end = self.board.nextEnd, self.phase != .ended else { return }
        self.leaseTimer = self.loop.timer(at: end) { [weak self] in
            guard let self else { return }
            self.leaseTimer = nil
            let due = self.board.due(now: self.loop.now())
            self.heal(due, collected: []) { healed in
                for fault in healed {
                    self.happened("healed \(fault.text) (bitten \(fault.bitten)×)", .neutral)
                }
            }
        }
    }
}

extension FaultBoard.Fault {
    /// Whether it is the hub's disk that is slow.
    fileprivate var isSlowHub: Bool {
        if case .slow(LaunchPlan.hub, _) = self { true } else { false }
    }

    /// The outside party that it is about.
    var party: String? {
        switch self {
        case .party(let name, _), .slowParty(let name, _): name
        case .paused, .slow, .cut, .link, .crashLoop, .slowProcessor, .load: nil
        }
    }

    /// How the party names it.
    var partyRule: String {
        switch self {
        case .party(_, let kind): kind.rawValue
        case .slowParty: "slow"
        case .paused, .slow, .cut, .link, .crashLoop, .slowProcessor, .load: "-"
        }
    }
}
