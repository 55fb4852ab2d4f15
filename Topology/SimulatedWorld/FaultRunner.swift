import Chaos
import Mesh
import OutsideParties

/// Lets the faults of a scenario happen to a simulated shop, heals them, and counts their bites.
final class FaultRunner {
    private struct State {
        /// Whether it has begun.
        var hasBegun = false
        var isActive = false
        /// What the hub calls it, where it is armed there.
        var rule: Int64?
        /// Whether the hub has not answered the last command about it.
        var isAsking = false
        var bitten = 0
        /// When it heals.
        var until = Instant.zero
    }

    /// A fault that begins when the last of so many events has happened.
    private struct Awaited {
        var fault: Int
        var source: String
        var left: Int
        var delay: Duration
    }

    /// Something that was done on purpose, for telling the story afterwards.
    struct Incident {
        var time: Instant
        var fault: Int
        var text: String
    }

    private unowned let shop: SimulatedShop
    private let faults: [Fault]
    private var states: [State]
    /// Which faults wait for events, by the events' type.
    private var awaited: [String: [Awaited]] = [:]
    private(set) var incidents: [Incident] = []

    init(shop: SimulatedShop, faults: [Fault]) {
        self.shop = shop
        self.faults = faults
        self.states = [State](repeating: State(), count: faults.count)
        self.wire()
    }

    private func wire() {
        let usesHub = self.faults.contains { $0.kind.aim == .link || $0.kind.aim == .service }
        self.shop.admin.isNeeded = usesHub
        self.shop.admin.onReady = { [weak self] in self?.tellHub() }
        self.shop.admin.onLost = { [weak self] in self?.hubForgot() }
        self.shop.hub.onDying = { [weak self] in self?.countRules() }
        for name in self.shop.parties.keys.sorted() {
            self.shop.parties[name]?.onUp = { [weak self] in self?.armParty(name) }
            self.shop.parties[name]?.onDying = { [weak self] in self?.countParty(name) }
        }
        for (index, fault) in self.faults.enumerated() {
            switch fault.trigger {
            case .at(let time): self.shop.at(time) { [weak self] in self?.begin(index) }
            case .after(let event, let delay):
                self.awaited[event.type, default: []].append(
                    Awaited(fault: index, source: event.source, left: event.number, delay: delay)
                )
            }
        }
        if !self.awaited.isEmpty {
            self.shop.onEvent = { [weak self] in self?.happened($0) }
        }
    }

    private func happened(_ event: EventEnvelope) {
        guard let place = self.awaited.index(forKey: event.type) else { return }
        for number in self.awaited.values[place].indices
        where self.awaited.values[place][number].source == event.source {
            self.awaited.values[place][number].left -= 1
            guard self.awaited.values[place][number].left == 0 else { continue }
            let fault = self.awaited.values[place][number].fault
            let delay = self.awaited.values[place][number].delay
            self.shop.at(delay) { [weak self] in self?.begin(fault) }
        }
    }

    // MARK: Results

    /// How often each fault bit.
    var bitten: [Int] { self.states.map(\.bitten) }

    /// Whether no fault is under way any more.
    var isHealed: Bool { self.states.allSatisfy { !$0.isActive && $0.rule == nil } }

    /// Whether a fault is still to begin by the clock.
    var hasBegunAll: Bool {
        for (index, fault) in self.faults.enumerated() {
            if case .at = fault.trigger, !self.states[index].hasBegun { return false }
        }
        return true
    }

    /// Takes the last counts of what is still armed.
    func finish() {
        for name in self.shop.parties.keys.sorted() { self.countParty(name) }
        self.countRules()
    }

    // MARK: Beginning and ending

    private func note(_ index: Int, _ text: String) {
        self.incidents.append(Incident(time: self.shop.simulation.now, fault: index, text: text))
    }

    private func begin(_ index: Int) {
        let fault = self.faults[index]
        guard !self.states[index].hasBegun else { return }
        self.states[index].hasBegun = true
        self.states[index].until = self.shop.simulation.now + fault.duration
        switch fault.kind {
        case .kill:
            let pause = fault.duration > .zero ? fault.duration : .milliseconds(20)
            guard self.shop.kill(fault.target, restartAfter: pause) else { return }
            self.bit(index, "\(fault.target) is killed, and back after \(pause.text)")
        case .pause:
            guard self.shop.pause(fault.target, for: fault.duration) else { return }
            self.bit(index, "\(fault.target) stands still for \(fault.duration.text)")
        case .failedSync:
            guard self.shop.hub.hub != nil else { return }
            self.shop.disk.failNext(.sync(DiskError(.syncFailed, "the disk failed on purpose")))
            self.bit(index, "the next sync of the hub's disk fails")
        case .slow, .cut, .delay, .drop, .duplicate, .reorder, .corrupt, .hold, .throttle:
            self.states[index].isActive = true
            self.note(index, "\(fault.deed) for \(fault.duration.text)")
            self.tellHub(index)
            self.heal(index)
        case .down, .slowAnswers, .timeoutAfter, .answersTwice:
            self.states[index].isActive = true
            self.note(index, "\(fault.deed) for \(fault.duration.text)")
            self.countParty(fault.target)
            self.arm(index)
            self.heal(index)
        default: break
        }
    }

    private func bit(_ index: Int, _ text: String) {
        self.states[index].bitten += 1
        self.note(index, text)
    }

    private func heal(_ index: Int) {
        self.shop.at(self.faults[index].duration) { [weak self] in
            guard let self else { return }
            if self.faults[index].kind.aim == .party { self.countParty(self.faults[index].target) }
            self.states[index].isActive = false
            if self.faults[index].kind.aim != .party { self.tellHub(index) }
        }
    }

    // MARK: At the hub

    private func tellHub() {
        for index in self.faults.indices { self.tellHub(index) }
    }

    private func hubForgot() {
        for index in self.states.indices {
            self.states[index].isAsking = false
            self.states[index].rule = nil
        }
    }

    /// Brings what is armed at the hub in line with what should be.
    private func tellHub(_ index: Int) {
        let (fault, state) = (self.faults[index], self.states[index])
        guard fault.kind.aim == .link || fault.kind.aim == .service, !state.isAsking,
            self.shop.admin.isReady, state.isActive != (state.rule != nil)
        else { return }
        self.states[index].isAsking = true
        let isArming = state.isActive
        self.shop.admin.ask(self.request(fault, state)) { [weak self] answer in
            guard let self else { return }
            self.states[index].isAsking = false
            if isArming {
                self.armed(index, answer)
            } else {
                self.states[index].rule = nil
                for rule in answer["healed"]?.array ?? [] {
                    self.states[index].bitten += Int(rule["bitten"]?.int ?? 0)
                }
            }
            self.tellHub(index)
        }
    }

    private func armed(_ index: Int, _ answer: JSONValue) {
        if answer["error"] != nil {
            // It is cut already: the other fault does it all.
            self.states[index].isActive = false
        } else if self.faults[index].kind == .slow {
            self.states[index].rule = 0
            self.states[index].bitten += 1
        } else {
            self.states[index].rule = answer["number"]?.int
        }
    }

    private func request(_ fault: Fault, _ state: State) -> JSONValue {
        if fault.kind == .slow {
            let by = fault.parameters.by ?? .zero
            return [
                "do": "slow", "service": .string(fault.target),
                "milliseconds": .int(state.isActive ? by.inMilliseconds : 0),
            ]
        }
        guard state.isActive, let linkFault = fault.linkFault else {
            return ["do": "heal", "number": .int(state.rule ?? 0)]
        }
        return [
            "do": "link", "from": .string(fault.target), "to": .string(fault.to),
            "fault": linkFault.json,
        ]
    }

    /// Takes the counts that die with the hub.
    private func countRules() {
        guard let rules = self.shop.hub.hub?.rules.rules else { return }
        for index in self.states.indices {
            guard let number = self.states[index].rule else { continue }
            let rule = rules.first { Int64($0.number) == number }
            self.states[index].bitten += rule?.bitten ?? 0
        }
    }

    // MARK: At outside parties

    private func arm(_ index: Int) {
        let fault = self.faults[index]
        let delay = fault.parameters.by ?? .zero
        let every = fault.parameters.every
        let until = self.states[index].until
        let armed: PartyFaults.Armed? =
            switch fault.kind {
            case .down: .init(.down, every: every, until: until)
            case .slowAnswers: .init(.slow(delay), until: until)
            case .timeoutAfter: .init(.timeoutAfter, every: every, until: until)
            case .answersTwice: .init(.answersTwice, every: every, until: until)
            default: nil
            }
        if let armed { self.shop.arm(fault.target, armed) }
    }

    private func armParty(_ name: String) {
        for index in self.faults.indices
        where self.states[index].isActive && self.faults[index].target == name {
            if self.faults[index].kind.aim == .party { self.arm(index) }
        }
    }

    /// Takes a party's counts; the armed fault of a kind is the last that began.
    private func countParty(_ name: String) {
        let armed = self.shop.parties[name]?.armed ?? []
        for fault in armed where fault.bitten > 0 {
            let index = self.faults.indices.last { index in
                self.states[index].isActive && self.faults[index].target == name
                    && self.faults[index].kind.partyName == fault.fault.name
            }
            guard let index else { continue }
            self.states[index].bitten = max(self.states[index].bitten, fault.bitten)
        }
    }
}
