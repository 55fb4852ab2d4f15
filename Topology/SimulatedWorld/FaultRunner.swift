import Chaos
import Mesh
import OutsideParties
import TopologyFile

/// Lets the faults of a scenario happen to a simulated shop, heals them, counts their bites, and
/// does the scenario's operations.
final class FaultRunner {
    struct State {
        /// Whether it has begun and is not over.
        var isActive = false
        /// Whether it is the one of its kind that an outside party has.
        var isArmed = false
        var bitten = 0
        /// What had been counted when it began.
        var before = 0
    }

    unowned let shop: SimulatedShop
    let faults: [Fault]
    let operations: [Operation]
    var states: [State]
    var hub: HubFaults
    /// Which operations came to their end.
    var done: [Bool]
    /// Which operations have begun and are not done.
    var isOperating: [Bool]
    private let simulation: Simulation
    private var timeline: FaultTimeline
    private var wakeup: Instant?
    var random: SeededRandom
    private(set) var incidents: [ScenarioOutcome.Incident] = []

    init(shop: SimulatedShop, faults: [Fault], operations: [Operation] = []) {
        self.shop = shop
        self.faults = faults
        self.operations = operations
        self.states = [State](repeating: State(), count: faults.count)
        self.done = [Bool](repeating: false, count: operations.count)
        self.isOperating = self.done
        self.hub = HubFaults(faults: faults)
        self.timeline = FaultTimeline(faults: faults, operations: operations)
        self.simulation = shop.simulation
        self.random = shop.simulation.random(for: "faults")
        self.wire()
    }

    private func wire() {
        let usesHub = self.faults.contains { HubFaults.takes($0.kind) }
        let asksHub = self.operations.contains { $0.kind == .redrive || $0.kind == .rewind }
        self.shop.admin.isNeeded = usesHub || asksHub
        self.shop.hub.diskCanFail = self.faults.contains {
            $0.kind.aim == .disk && HubFaults.takes($0.kind)
        }
        self.shop.admin.onReady = { [unowned self] in
            self.ask(self.hub.hubIsUp())
            self.askAgain()
        }
        self.shop.admin.onLost = { [unowned self] in self.hub.hubIsGone() }
        self.shop.hub.onDying = { [unowned self] in self.countHub() }
        self.shop.hub.onFailed = { [unowned self] in self.hubFailed($0) }
        self.shop.onChanged = { [unowned self] in self.changed($0, isDone: $1) }
        for name in self.shop.parties.keys.sorted() {
            self.shop.parties[name]?.onUp = { [unowned self] in self.armParty(name) }
            self.shop.parties[name]?.onDying = { [unowned self] in self.countParty(name) }
        }
    }

    // MARK: Course

    /// The run starts: its time counts from now.
    func start() {
        self.perform(self.timeline.started(now: self.simulation.now))
        guard self.timeline.awaitsEvents else { return }
        self.shop.onEvent = { [unowned self] in self.happened($0, from: $1) }
    }

    /// An event has become durable.
    private func happened(_ type: String, from source: String) {
        let now = self.simulation.now
        let actions = self.timeline.happened(type, from: source, now: now) { self.counts() }
        if !actions.isEmpty || self.timeline.nextDue != self.wakeup { self.perform(actions) }
    }

    /// These faults are in force.
    func armed(_ indices: [Int]) {
        self.timeline.armed(indices, now: self.simulation.now)
        self.wakeUp()
    }

    private func perform(_ actions: [FaultTimeline.Action]) {
        if !self.asking({ $0.awaitsEvents }) { self.shop.onEvent = nil }
        for action in actions {
            switch action {
            case .begin(let indices):
                for index in indices { self.begin(index) }
                self.ask(self.hub.began(indices))
            case .end(let indices):
                for index in indices { self.end(index) }
                self.ask(self.hub.ended(indices))
            case .perform(let index): self.begin(operation: index)
            }
        }
        self.wakeUp()
    }

    /// Sees to it that it goes on when the next thing is due.
    private func wakeUp() {
        guard let due = self.timeline.nextDue, self.wakeup.map({ due < $0 }) ?? true else { return }
        self.wakeup = due
        // Where in the order of an instant it comes, the seed decides.
        self.simulation.after(due - self.simulation.now) { [weak self] in
            guard let self else { return }
            if self.wakeup == due { self.wakeup = nil }
            let now = self.simulation.now
            self.perform(self.timeline.timePassed(now: now) { self.counts() })
        }
    }

    /// Asks the timeline something in its place: a question put to a property copies its value.
    private func asking<Answer>(_ question: (inout FaultTimeline) -> Answer) -> Answer {
        question(&self.timeline)
    }

    // MARK: Results

    /// How often each fault bit.
    var bitten: [Int] { zip(self.states, self.hub.bitten).map { $0.bitten + $1 } }

    /// Whether a fault is to end, or something to begin, by the clock.
    var isUnderWay: Bool { self.asking { !$0.hasBegunAll || !$0.isHealed } }

    /// Whether nothing is to come but bites of what is armed.
    var onlyWaits: Bool {
        let now = self.simulation.now
        return self.asking { $0.onlyWaits(now: now) }
    }

    /// Whether what is over has been undone, and no operation is under way.
    var isSettled: Bool { self.hub.isSettled && !self.isOperating.contains(true) }

    /// How often each fault has bitten until now.
    private func counts() -> [Int] {
        self.takeCounts()
        return self.bitten
    }

    /// When a fault began and ended; nil where it did not.
    func span(of fault: Int) -> (began: Instant?, ended: Instant?) { self.timeline.span(of: fault) }

    /// Takes the counts of what is armed.
    func takeCounts() {
        for name in self.shop.parties.keys.sorted() { self.countParty(name) }
        self.countHub()
        for index in self.faults.indices where self.states[index].isActive { self.count(index) }
    }

    func bit(_ index: Int, _ text: String? = nil) {
        self.states[index].bitten += 1
        if let text { self.note(index, text) }
    }

    func note(_ index: Int?, _ text: String) {
        self.incidents.append(
            ScenarioOutcome.Incident(time: self.simulation.now, text: text, fault: index)
        )
    }

    // MARK: Beginning and ending

    private func begin(_ index: Int) {
        let fault = self.faults[index]
        self.states[index].isActive = fault.lasts
        switch fault.kind {
        case .kill: self.kill(index)
        case .crashLoop, .pause, .slowProcessor, .clockSkew: self.beginProcess(index)
        case .bitRot:
            guard let position = self.shop.rot(using: &self.random) else { return }
            self.bit(index, "a bit flips in the hub's log at byte \(position)")
        case .loadSpike, .poison: self.beginLoad(index)
        case .slow:
            self.states[index].before = self.handledCount(by: fault.target)
            self.note(index, self.words(of: fault))
        case .cut, .delay, .drop, .duplicate, .reorder, .corrupt, .hold, .throttle, .failedSync,
            .slowSync, .diskFull, .tornWrite:
            self.note(index, self.words(of: fault))
        case .down, .slowAnswers, .timeoutAfter, .answersTwice:
            self.note(index, self.words(of: fault))
            self.arm(index)
        }
    }

    private func end(_ index: Int) {
        self.count(index)
        if self.faults[index].kind.aim == .party { return self.disarm(index) }
        self.states[index].isActive = false
        if self.faults[index].kind.aim == .process { self.endProcess(index) }
    }

    /// Brings up to date what is counted by what others did meanwhile.
    private func count(_ index: Int) {
        let fault = self.faults[index]
        let now: Int
        switch fault.kind {
        case .slow: now = self.handledCount(by: fault.target)
        case .loadSpike: now = self.shop.shoppers?.sentCount ?? 0
        case .down, .slowAnswers, .timeoutAfter, .answersTwice:
            return self.countParty(fault.target)
        default: return
        }
        self.states[index].bitten += max(0, now - self.states[index].before)
        self.states[index].before = now
    }

    private func handledCount(by service: String) -> Int {
        self.shop.fold.services.first { $0.name == service }?.events ?? 0
    }

    func words(of fault: Fault) -> String {
        fault.deed + fault.lasting
    }

    // MARK: Load

    private func beginLoad(_ index: Int) {
        let fault = self.faults[index]
        if fault.kind == .poison { return self.publishPoison(index) }
        guard let shoppers = self.shop.shoppers else { return }
        self.states[index].before = shoppers.sentCount
        self.note(index, self.words(of: fault))
        shoppers.spike(times: fault.parameters.times ?? 1, for: fault.duration)
    }

    private func publishPoison(_ index: Int) {
        let fault = self.faults[index]
        let emitted = self.shop.topology.outside.first { $0.name == fault.target }?.emits ?? []
        let topic = self.shop.topology.topics.first { topic in
            emitted.contains(topic.name)
                && fault.parameters.type.map(topic.types.contains) ?? !topic.types.isEmpty
        }
        let publisher = self.shop.publishers.first { $0.name == fault.target }
        guard let topic, let publisher, let type = fault.parameters.type ?? topic.types.first
        else { return }
        publisher.publishPoison(type: type, to: topic.name)
        self.bit(index, "\(fault.target) publish what is no \(type)")
    }
}
