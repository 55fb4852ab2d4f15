import Chaos
import Mesh
import MeshSocket
import TopologyFile

/// Lets the faults and operations of a scenario happen to a running topology, heals them, counts
/// their bites, and says when all is over.
///
/// When something begins is up to ``FaultTimeline``, what the hub is told to ``HubFaults``, as in
/// the simulated world.
final class RealFaultRunner: TopologyListener {
    struct State {
        var isActive = false
        var bitten = 0
        /// What was counted when it began.
        var baseline = 0
    }

    unowned let run: RunningTopology
    let scenario: Scenario
    private var timeline: FaultTimeline
    private var timer: TimerID?
    private var tick: TimerID?
    var hub: HubFaults
    var states: [State]
    /// Which faults each outside party was told of last, by its name for them.
    var toldParties: [String: [String: Int]] = [:]
    /// How many commands to outside parties are unanswered.
    var partyAsks = 0
    /// How often faults bit that a party has not been told are over.
    var partyCounts: [Int: Int] = [:]
    /// The operations under way, and those that wait for them, by service.
    var operating: [String: [Int]] = [:]
    /// The commands that wait for a hub.
    var unasked: [Int] = []
    /// How each operation ended; nil for one that has not.
    var ends: [Bool?]
    private(set) var incidents: [ScenarioOutcome.Incident] = []
    /// When there was last a reason for not being at rest.
    private var lastTrouble = Instant.zero
    private var ended = -1
    private var isOver = false

    /// How often everything is looked at, for what nobody tells.
    private static let tickInterval = Duration.milliseconds(20)

    init(_ run: RunningTopology, _ scenario: Scenario) {
        self.run = run
        self.scenario = scenario
        self.timeline = FaultTimeline(faults: scenario.faults, operations: scenario.operations)
        self.hub = HubFaults(faults: scenario.faults)
        self.states = [State](repeating: State(), count: scenario.faults.count)
        self.ends = [Bool?](repeating: nil, count: scenario.operations.count)
    }

    // MARK: Results

    /// How often each fault bit, as far as is known.
    var bitten: [Int] {
        zip(self.hub.bitten, self.states.indices).map { counted, index in
            counted + self.states[index].bitten + (self.partyCounts[index] ?? 0)
                + (self.states[index].isActive ? self.liveCount(index) : 0)
        }
    }

    /// When a fault began and ended; nil where it did not.
    func span(of fault: Int) -> (began: Instant?, ended: Instant?) { self.timeline.span(of: fault) }

    /// Which operations came to their end.
    var done: [Bool] { self.ends.map { $0 ?? false } }

    func note(_ text: String, fault: Int? = nil) {
        self.incidents.append(
            ScenarioOutcome.Incident(time: self.run.loop.now(), text: text, fault: fault)
        )
        self.run.happened(text, fault == nil ? .neutral : .bad)
    }

    // MARK: What happened

    func serves() {
        let now = self.run.loop.now()
        self.lastTrouble = now
        let actions = self.timeline.started(now: now)
        if self.timeline.awaitsEvents {
            self.run.feed.onEvent = { [weak self] in self?.happened($0, from: $1) }
        }
        self.perform(actions)
        self.armTick()
    }

    private func happened(_ type: String, from source: String) {
        let now = self.run.loop.now()
        let actions = self.timeline.happened(type, from: source, now: now) {
            self.bitten
        }
        self.perform(actions)
        if !self.timeline.awaitsEvents { self.run.feed.onEvent = nil }
    }

    func logWasRead() { self.look() }

    func logIsUnreadable() { self.finish { self.run.judgeNow() } }

    func hubIsUp() {
        self.ask(self.hub.hubIsUp())
        let unasked = self.unasked
        self.unasked = []
        for index in unasked { self.operate(index) }
    }

    func hubIsGone() { self.hub.hubIsGone() }

    func ended(_ process: String, wasPlanned: Bool) {
        guard process == LaunchPlan.hub, !wasPlanned else { return }
        self.hub.hubFailed()
    }

    func ask(_ requests: [HubFaults.Request]) {
        for request in requests {
            self.run.admin.ask(request.json) { [weak self] result in
                guard let self else { return }
                self.ask(self.hub.answered(request, try? result.get()))
                self.armed(self.hub.armed)
            }
        }
    }

    /// These faults are in force.
    func armed(_ indices: [Int]) {
        self.timeline.armed(indices, now: self.run.loop.now())
        self.armTimer()
    }

    // MARK: When it happens

    private func armTimer() {
        if let timer = self.timer { self.run.loop.cancel(timer) }
        self.timer = nil
        guard let due = self.timeline.nextDue, !self.isOver else { return }
        self.timer = self.run.loop.timer(at: due) { [weak self] in
            guard let self else { return }
            self.timer = nil
            let now = self.run.loop.now()
            self.perform(self.timeline.timePassed(now: now) { self.bitten })
        }
    }

    private func perform(_ actions: [FaultTimeline.Action]) {
        if !self.isOver {
            for action in actions {
                switch action {
                case .begin(let indices): self.begin(indices)
                case .end(let indices): self.end(indices)
                case .perform(let index): self.queue(index)
                }
            }
        }
        self.armTimer()
    }

    /// Looks again and again: at a log that grows without a word, at the time, at the counts.
    private func armTick() {
        guard !self.isOver else { return }
        let due = self.run.loop.now() + Self.tickInterval
        self.tick = self.run.loop.timer(at: due) { [weak self] in
            guard let self else { return }
            if self.hub.isCounting { self.ask([self.hub.question]) }
            self.countParties(of: self.timeline.waitingForBites(now: self.run.loop.now()))
            self.run.read()
            self.look()
            self.armTick()
        }
    }

    // MARK: When it is over

    private func look() {
        guard !self.isOver, self.run.phase == .running else { return }
        if self.run.feed.judge.violation != nil { return self.finish { self.run.judgeNow() } }
        let now = self.run.loop.now()
        let orders = self.run.feed.fold.orders
        let ended = orders.confirmed + orders.cancelled
        if self.isUnderWay || ended != self.ended { self.lastTrouble = now }
        self.ended = ended
        let unrest = self.unrest
        let isUnderWay = self.isUnderWay && !self.timeline.onlyWaits(now: now)
        if !isUnderWay, unrest == nil { return self.finish { self.run.drain() } }
        guard now - self.lastTrouble > self.scenario.convergesWithin else { return }
        self.run.unrest = unrest
        self.finish { self.run.judgeNow() }
    }

    /// Whether faults or orders are still to come, or faults to end.
    private var isUnderWay: Bool {
        !self.timeline.hasBegunAll || !self.timeline.isHealed || self.run.isPlacing
    }

    /// What is still to be done, in words; nil where everything is at rest.
    private var unrest: String? {
        if let unrest = self.run.unrestNow { return unrest }
        if let service = self.operating.keys.min() {
            return "an operation on \(service) has not come to its end"
        }
        return self.hub.isSettled && self.partyAsks == 0 ? nil : "not everything is healed"
    }

    /// Heals everything and calls `then`, once.
    func finish(_ then: () -> Void) {
        guard !self.isOver else { return }
        self.isOver = true
        self.run.feed.onEvent = nil
        for timer in [self.timer, self.tick].compactMap(\.self) { self.run.loop.cancel(timer) }
        (self.timer, self.tick) = (nil, nil)
        self.end(self.states.indices.filter { self.states[$0].isActive })
        self.ask(self.hub.endedAll())
        then()
    }
}

extension RunningTopology {
    /// Whether more orders will be placed.
    fileprivate var isPlacing: Bool {
        guard let source = self.load?.source else { return false }
        return !source.isFinished && source.nextDue != nil
    }

    /// What is still to be done, in words; nil where everything is at rest.
    fileprivate var unrestNow: String? {
        var parts: [String] = []
        if self.isPlacing { parts.append("orders are still placed") }
        let unanswered = self.load?.unansweredCount ?? 0
        if unanswered > 0 { parts.append("\(unanswered) orders have no answer") }
        let open = self.feed.fold.orders.inProgress
        if open > 0 { parts.append("\(open) orders have not ended") }
        for service in self.feed.fold.services where service.lag > 0 {
            parts.append("\(service.lag) events wait for \(service.name)")
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
