import Chaos
import Mesh
import Testing

/// An owner without a kernel: does what the supervisor says, and checks that it may.
private struct Owner {
    var supervisor: Supervisor
    var now = Instant(nanoseconds: 1_000_000_000_000)
    /// The processes that run, by name.
    var running: [String: Int32] = [:]
    var spawns: [String] = []
    var signals: [(name: String, signal: ProcessSignal)] = []
    var reports: [SupervisorReport] = []
    var isFinished = false
    private var lastPid: Int32 = 100

    init(_ plans: [ProcessPlan], grace: Duration = .seconds(5)) {
        self.supervisor = Supervisor(processes: plans, grace: grace)
    }

    mutating func perform(_ actions: [SupervisorAction]) {
        for action in actions {
            switch action {
            case .spawn(let name):
                #expect(self.running[name] == nil, "two of \(name)")
                #expect(!self.isFinished)
                self.lastPid += 1
                self.running[name] = self.lastPid
                self.spawns.append(name)
                self.perform(self.supervisor.spawned(name, pid: self.lastPid, now: self.now))

            case .signal(let name, let pid, let signal):
                #expect(self.running[name] == pid, "a signal to a process that is gone")
                self.signals.append((name, signal))

            case .report(let report):
                self.reports.append(report)

            case .finished:
                #expect(self.running.isEmpty)
                self.isFinished = true
            }
        }
    }

    mutating func start() { self.perform(self.supervisor.startRequested(now: self.now)) }

    mutating func ready(_ name: String) {
        self.perform(self.supervisor.becameReady(name, now: self.now))
    }

    mutating func die(
        _ name: String,
        _ end: ProcessEnd = .exited(code: 1),
        lastLines: [String] = []
    ) {
        self.running[name] = nil
        let actions = self.supervisor.exited(name, end, lastLines: lastLines, now: self.now)
        self.perform(actions)
    }

    mutating func pass(_ duration: Duration) {
        self.now = self.now + duration
        self.perform(self.supervisor.timePassed(now: self.now))
    }

    func state(_ name: String) -> SupervisedStatus.State? {
        self.supervisor.status.first { $0.name == name }?.state
    }

    mutating func takeSignals() -> [String] {
        defer { self.signals = [] }
        return self.signals.map { "\($0.signal) \($0.name)" }
    }
}

private let shop = [
    ProcessPlan(name: "hub", stage: 0),
    ProcessPlan(name: "bank", stage: 1),
    ProcessPlan(name: "orders", stage: 2),
    ProcessPlan(name: "payments", stage: 2),
]

private func runningShop() -> Owner {
    var owner = Owner(shop)
    owner.start()
    for plan in shop { owner.ready(plan.name) }
    return owner
}

private let one = [ProcessPlan(name: "payments")]

struct SupervisorTests {
    @Test func `a stage starts when everything before it is ready`() {
        var owner = Owner(shop)
        owner.start()
        #expect(owner.spawns == ["hub"])
        owner.ready("hub")
        #expect(owner.spawns == ["hub", "bank"])
        #expect(!owner.supervisor.isUp)
        owner.ready("bank")
        #expect(owner.spawns == ["hub", "bank", "orders", "payments"])
        owner.ready("orders")
        #expect(!owner.supervisor.isUp)
        owner.ready("payments")
        #expect(owner.supervisor.isUp)
    }

    @Test func `a killed process is started again at once, however often`() {
        var owner = runningShop()
        for _ in 0..<50 {
            owner.perform(owner.supervisor.killRequested("payments", now: owner.now))
            // Until its end is noticed it is nothing to kill again.
            let state = owner.supervisor.status.first { $0.name == "payments" }?.state
            #expect(state == .stopping)
            #expect(owner.takeSignals() == ["kill payments"])
            owner.pass(.milliseconds(2))
            owner.die("payments", .signalled(signal: 9, name: "SIGKILL"))
            #expect(owner.state("payments") == .starting)
            owner.pass(.milliseconds(40))
            owner.ready("payments")
        }
        let status = owner.supervisor.status[3]
        #expect(status.restarts == 50)
        #expect(status.noticedAfter == .milliseconds(2))
        #expect(status.servingAfter == .milliseconds(42))
        #expect(status.readyAfter == .milliseconds(40))
        #expect(!owner.reports.contains { if case .gaveUp = $0 { true } else { false } })
    }

    @Test func `a process that is killed for a while stays down that long, and no longer`() {
        var owner = runningShop()
        let kill = owner.supervisor.killRequested("hub", downFor: .seconds(2), now: owner.now)
        owner.perform(kill)
        owner.pass(.milliseconds(1))
        owner.die("hub", .signalled(signal: 9, name: "SIGKILL"))
        #expect(owner.state("hub") == .backingOff)
        owner.pass(.milliseconds(1998))
        #expect(owner.state("hub") == .backingOff)
        owner.pass(.milliseconds(1))
        #expect(owner.state("hub") == .starting)
        owner.ready("hub")
        owner.perform(owner.supervisor.killRequested("hub", now: owner.now))
        owner.die("hub", .signalled(signal: 9, name: "SIGKILL"))
        #expect(owner.state("hub") == .starting, "the next kill is an ordinary one")
    }

    @Test func `a hub that is killed comes back without the others being touched`() {
        var owner = runningShop()
        owner.perform(owner.supervisor.killRequested("hub", now: owner.now))
        owner.die("hub", .signalled(signal: 9, name: "SIGKILL"))
        owner.ready("hub")
        #expect(owner.spawns == ["hub", "bank", "orders", "payments", "hub"])
        #expect(owner.takeSignals() == ["kill hub"])
    }

    @Test func `a crash after a settled life is no reason to wait`() {
        var owner = runningShop()
        owner.pass(.seconds(1))
        owner.die("payments")
        #expect(owner.running["payments"] != nil)
        #expect(owner.supervisor.status[3].servingAfter == nil)
        owner.pass(.milliseconds(30))
        owner.ready("payments")
        #expect(owner.supervisor.status[3].servingAfter == .milliseconds(30))
        #expect(owner.supervisor.status[3].noticedAfter == nil)
    }

    @Test func `early crashes wait ever longer up to the limit`() {
        var plan = ProcessPlan(name: "payments")
        plan.restart.backoffMin = .milliseconds(50)
        plan.restart.backoffMax = .milliseconds(300)
        plan.restart.crashLoopCount = 100
        var owner = Owner([plan])
        owner.start()
        for wait in [50, 100, 200, 300, 300] {
            owner.die("payments")
            #expect(owner.state("payments") == .backingOff)
            #expect(owner.supervisor.nextDeadline == owner.now + .milliseconds(wait))
            owner.pass(.milliseconds(wait - 1))
            #expect(owner.running.isEmpty)
            owner.pass(.milliseconds(1))
            #expect(owner.running["payments"] != nil)
        }
        owner.ready("payments")
        owner.pass(.seconds(1))
        owner.die("payments")
        #expect(owner.running["payments"] != nil, "a settled life forgives what was before")
        owner.die("payments")
        #expect(owner.supervisor.nextDeadline == owner.now + .milliseconds(50))
    }

    @Test func `a crash loop is given up and names its culprit with its last words`() {
        var owner = Owner(one)
        owner.start()
        let words = ["cannot open the ledger", "giving up"]
        for _ in 0..<4 {
            owner.die("payments")
            owner.pass(.milliseconds(400))
        }
        #expect(owner.running["payments"] != nil)
        owner.die("payments", .exited(code: 3), lastLines: words)
        #expect(owner.state("payments") == .crashLoop)
        #expect(
            owner.reports.last
                == .gaveUp(
                    "payments",
                    ends: 5,
                    within: .milliseconds(1600),
                    last: .exited(code: 3),
                    lastLines: words
                )
        )
        owner.pass(.seconds(3600))
        #expect(owner.running.isEmpty)
        #expect(owner.supervisor.nextDeadline == nil)
        #expect(owner.supervisor.status[0].lastLines == words)
    }

    @Test func `crashes that are far apart are no crash loop`() {
        var owner = Owner(one)
        owner.start()
        for _ in 0..<20 {
            owner.die("payments")
            owner.pass(.seconds(5))
            #expect(owner.running["payments"] != nil)
        }
    }

    @Test func `a given up process can be tried again`() {
        var owner = Owner(one)
        owner.start()
        for _ in 0..<5 {
            owner.die("payments")
            owner.pass(.milliseconds(400))
        }
        #expect(owner.state("payments") == .crashLoop)
        owner.perform(owner.supervisor.reviveRequested("payments", now: owner.now))
        #expect(owner.state("payments") == .starting)
        owner.die("payments")
        #expect(owner.state("payments") == .backingOff, "its past is forgotten")
    }

    @Test func `a program that cannot be started counts as an early end with its reason`() {
        var supervisor = Supervisor(processes: one)
        var now = Instant.zero
        var actions = supervisor.startRequested(now: now)
        for _ in 0..<4 {
            #expect(actions == [.spawn("payments")])
            _ = supervisor.spawnFailed("payments", reason: "no such file", now: now)
            now = now + .milliseconds(400)
            actions = supervisor.timePassed(now: now)
        }
        actions = supervisor.spawnFailed("payments", reason: "no such file", now: now)
        guard case .report(.gaveUp("payments", ends: 5, _, let last, _)) = actions.last else {
            Issue.record("not given up: \(actions)")
            return
        }
        #expect(last == .notStarted(reason: "no such file"))
    }

    @Test(arguments: [
        (RestartPolicy.Condition.never, Int32(1), false),
        (.onFailure, 0, false),
        (.onFailure, 1, true),
        (.always, 0, true),
    ])
    func `the policy decides who comes back`(
        condition: RestartPolicy.Condition,
        code: Int32,
        comesBack: Bool
    ) {
        var plan = ProcessPlan(name: "importer")
        plan.restart.condition = condition
        var owner = Owner([plan])
        owner.start()
        owner.ready("importer")
        owner.pass(.seconds(2))
        owner.die("importer", .exited(code: code))
        #expect((owner.running["importer"] != nil) == comesBack)
        #expect((owner.state("importer") == .stopped) == !comesBack)
    }

    @Test func `a pause is seen, ends by a resume, and is not doubled`() {
        var owner = runningShop()
        owner.perform(owner.supervisor.pauseRequested("payments", now: owner.now))
        #expect(owner.supervisor.pauseRequested("payments", now: owner.now).isEmpty)
        #expect(owner.state("payments") == .paused)
        owner.perform(owner.supervisor.resumeRequested("payments", now: owner.now))
        #expect(owner.supervisor.resumeRequested("payments", now: owner.now).isEmpty)
        #expect(owner.state("payments") == .ready)
        #expect(owner.takeSignals() == ["pause payments", "resume payments"])
    }

    @Test func `a process that was killed while paused comes back unpaused`() {
        var owner = runningShop()
        owner.perform(owner.supervisor.pauseRequested("payments", now: owner.now))
        owner.perform(owner.supervisor.killRequested("payments", now: owner.now))
        owner.die("payments", .signalled(signal: 9, name: "SIGKILL"))
        #expect(owner.state("payments") == .starting)
        owner.ready("payments")
        #expect(owner.state("payments") == .ready)
    }

    @Test func `commands for what does not run do nothing`() {
        var owner = Owner(shop)
        #expect(owner.supervisor.killRequested("hub", now: owner.now).isEmpty)
        owner.start()
        #expect(owner.supervisor.killRequested("orders", now: owner.now).isEmpty)
        #expect(owner.supervisor.killRequested("nobody", now: owner.now).isEmpty)
        #expect(owner.supervisor.pauseRequested("orders", now: owner.now).isEmpty)
        #expect(owner.supervisor.reviveRequested("hub", now: owner.now).isEmpty)
    }

    @Test func `stopping goes backwards through the stages and waits for each`() {
        var owner = runningShop()
        owner.perform(owner.supervisor.stopRequested(now: owner.now))
        #expect(owner.takeSignals() == ["terminate orders", "terminate payments"])
        owner.die("orders", .exited(code: 0))
        #expect(owner.takeSignals() == [])
        owner.die("payments", .exited(code: 0))
        #expect(owner.takeSignals() == ["terminate bank"])
        owner.die("bank", .exited(code: 0))
        #expect(owner.takeSignals() == ["terminate hub"])
        #expect(!owner.isFinished)
        owner.die("hub", .exited(code: 0))
        #expect(owner.isFinished)
        #expect(owner.spawns.count == 4)
        #expect(owner.supervisor.nextDeadline == nil)
    }

    @Test func `who does not end within the grace period is killed, once`() {
        var owner = runningShop()
        owner.perform(owner.supervisor.stopRequested(now: owner.now))
        owner.die("orders", .exited(code: 0))
        owner.pass(.milliseconds(4_999))
        #expect(owner.takeSignals() == ["terminate orders", "terminate payments"])
        owner.pass(.milliseconds(1))
        #expect(owner.takeSignals() == ["kill payments"])
        owner.pass(.seconds(60))
        #expect(owner.takeSignals() == [])
        owner.die("payments", .signalled(signal: 9, name: "SIGKILL"))
        #expect(owner.takeSignals() == ["terminate bank"])
    }

    @Test func `a paused process is woken so that it can end`() {
        var owner = runningShop()
        owner.perform(owner.supervisor.pauseRequested("orders", now: owner.now))
        _ = owner.takeSignals()
        owner.perform(owner.supervisor.stopRequested(now: owner.now))
        #expect(owner.takeSignals() == ["terminate orders", "resume orders", "terminate payments"])
    }

    @Test func `stopping in the middle of a start and of a backoff ends everything`() {
        var owner = Owner(shop)
        owner.start()
        owner.die("hub")
        #expect(owner.state("hub") == .backingOff)
        owner.perform(owner.supervisor.stopRequested(now: owner.now))
        #expect(owner.isFinished)
        owner.pass(.seconds(10))
        #expect(owner.running.isEmpty)
    }

    @Test func `an abort kills everything at once`() {
        var owner = runningShop()
        owner.perform(owner.supervisor.stopRequested(now: owner.now))
        _ = owner.takeSignals()
        owner.perform(owner.supervisor.abortRequested(now: owner.now))
        #expect(owner.takeSignals() == ["kill hub", "kill bank", "kill orders", "kill payments"])
        for plan in shop.reversed() { owner.die(plan.name) }
        #expect(owner.isFinished)
        #expect(owner.takeSignals() == [])
    }

    @Test(arguments: 0..<200)
    func `whatever happens there are never two of one process, and a stop ends them all`(
        seed: Int
    ) {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
        func draw(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        var owner = Owner(shop, grace: .seconds(1))
        owner.start()
        for _ in 0..<300 {
            let name = shop[draw(shop.count)].name
            switch draw(9) {
            case 0: owner.perform(owner.supervisor.killRequested(name, now: owner.now))
            case 1: owner.perform(owner.supervisor.pauseRequested(name, now: owner.now))
            case 2: owner.perform(owner.supervisor.resumeRequested(name, now: owner.now))
            case 3: owner.perform(owner.supervisor.reviveRequested(name, now: owner.now))
            case 4, 5: if owner.running[name] != nil { owner.ready(name) }
            case 6: if owner.running[name] != nil { owner.die(name) }
            default: owner.pass(.milliseconds(draw(2000)))
            }
        }
        owner.perform(owner.supervisor.stopRequested(now: owner.now))
        for _ in 0..<shop.count {
            owner.pass(.seconds(1))
            for plan in shop where owner.running[plan.name] != nil {
                let signals = owner.signals.filter { $0.name == plan.name }
                if signals.last?.signal == .kill { owner.die(plan.name) }
            }
        }
        #expect(owner.isFinished)
        #expect(owner.running.isEmpty)
    }
}
