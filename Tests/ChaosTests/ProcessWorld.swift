import Chaos
import Mesh

/// Three processes and the supervisor that they obey: everything that the next moment depends on.
///
/// An end is noticed some time after it came, and where starting takes its time too, a process is
/// there some time after it was asked for.
struct ProcessWorld: Hashable {
    /// A process as the kernel knows it.
    struct Process: Hashable {
        var pid: Int32
        /// Whether it was asked to end; it may do so, or not.
        var isAsked = false
        var isPaused = false
        /// Nil while it lives; how it ended, while nobody has noticed.
        var end: ProcessEnd?
    }

    /// What may happen next.
    enum Move: Hashable {
        case start, stop, abort
        case kill(String), killForLong(String), terminate(String), crash(String), finish(String),
            ready(String)
        case restart(String), retire(String), revive(String), pause(String), resume(String)
        case spawned(String), notSpawned(String), obeys(String), noticed(String)
        case timePasses
    }

    /// What goes wrong on purpose, to see that it is found.
    enum Slip: Hashable {
        /// The second end of a process is never told.
        case losesExit
        /// A process that is killed is started again by somebody else too.
        case startsTwice
        /// A request to end never arrives, nor does what follows it.
        case losesSignals
    }

    static let names = ["a", "b", "c"]

    private(set) var supervisor: Supervisor
    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    /// By the place of the name among the names.
    private var processes: [[Process]] = [[], [], []]
    /// Which starts were asked for and not answered.
    private(set) var asked: [String] = []
    private(set) var finishedCount = 0
    /// What must never be; nil while all is well.
    private(set) var wrong: String?
    private(set) var isStarted = false
    private(set) var isToldToEnd = false
    /// Whether its start was ever asked for.
    private var wasAsked = [false, false, false]
    private var spawnCounts: [Int32] = [0, 0, 0]
    private var exitCount = 0
    private let slip: Slip?
    /// Whether a process is there as soon as it was asked for.
    private let startsAtOnce: Bool

    init(slip: Slip? = nil, startsAtOnce: Bool = true) {
        var given = ProcessPlan(name: "a", stage: 0)
        given.restart.crashLoopCount = 2
        var careful = ProcessPlan(name: "b", stage: 1)
        careful.restart.condition = .onFailure
        var once = ProcessPlan(name: "c", stage: 1)
        once.restart.condition = .never
        self.supervisor = Supervisor(processes: [given, careful, once])
        self.slip = slip
        self.startsAtOnce = startsAtOnce
    }

    private static func place(_ name: String) -> Int { Self.names.firstIndex(of: name) ?? 0 }

    private func living(_ name: String) -> Process? {
        self.processes[Self.place(name)].first { $0.end == nil }
    }

    /// Whether a name still stands for a process of the topology.
    private func isKnown(_ name: String) -> Bool {
        self.supervisor.status.contains { $0.name == name }
    }

    // MARK: What may happen

    /// What the kernel and time do by themselves.
    var ownMoves: [Move] {
        var moves: [Move] = self.asked.map { .spawned($0) }
        for (name, processes) in zip(Self.names, self.processes) {
            for process in processes {
                if process.end != nil, self.slip != .losesExit || self.exitCount == 0 {
                    moves.append(.noticed(name))
                } else if process.end == nil, process.isAsked, !process.isPaused {
                    moves.append(.obeys(name))
                }
            }
        }
        if self.supervisor.nextDeadline != nil { moves.append(.timePasses) }
        return moves
    }

    /// Start, stop, kill, crash, ready.
    var events: [Move] {
        var moves: [Move] = self.isStarted ? [] : [.start]
        if !self.isToldToEnd { moves.append(.stop) }
        for name in Self.names where self.living(name) != nil {
            moves += [.kill(name), .crash(name)]
            let isStarting = self.supervisor.status.contains {
                $0.name == name && $0.state == .starting
            }
            if isStarting { moves.append(.ready(name)) }
        }
        return moves
    }

    /// Everything else that a person, a service or the kernel may do.
    var furtherEvents: [Move] {
        var moves: [Move] = [.abort]
        moves += self.asked.map { .notSpawned($0) }
        for name in Self.names where self.isKnown(name) {
            moves += [.restart(name), .retire(name), .revive(name)]
            guard let process = self.living(name) else { continue }
            moves += [.killForLong(name), .terminate(name), .finish(name)]
            moves.append(process.isPaused ? .resume(name) : .pause(name))
        }
        return moves
    }

    // MARK: What happens

    mutating func make(_ move: Move) {
        switch move {
        case .start:
            self.isStarted = true
            self.perform(self.supervisor.startRequested(now: self.now))
        case .stop:
            self.isToldToEnd = true
            self.perform(self.supervisor.stopRequested(now: self.now))
        case .abort:
            self.isToldToEnd = true
            self.perform(self.supervisor.abortRequested(now: self.now))
        case .kill(let name):
            self.perform(self.supervisor.killRequested(name, now: self.now))
            if self.slip == .startsTwice { self.perform([.spawn(name)]) }
        case .killForLong(let name):
            let long = Duration.seconds(1)
            self.perform(self.supervisor.killRequested(name, downFor: long, now: self.now))
        case .terminate(let name):
            self.perform(self.supervisor.killRequested(name, .terminate, now: self.now))
        case .restart(let name):
            self.perform(self.supervisor.restartRequested(name, now: self.now))
        case .retire(let name):
            self.perform(self.supervisor.retireRequested(name, now: self.now))
        case .revive(let name):
            self.perform(self.supervisor.reviveRequested(name, now: self.now))
        case .pause(let name):
            self.perform(self.supervisor.pauseRequested(name, now: self.now))
        case .resume(let name):
            self.perform(self.supervisor.resumeRequested(name, now: self.now))
        case .ready(let name):
            self.perform(self.supervisor.becameReady(name, now: self.now))
        case .crash(let name): self.die(name, .exited(code: 1))
        case .finish(let name), .obeys(let name): self.die(name, .exited(code: 0))
        case .spawned(let name): self.spawned(name)
        case .notSpawned(let name):
            self.asked.removeAll { $0 == name }
            self.perform(self.supervisor.spawnFailed(name, reason: "no memory", now: self.now))
        case .noticed(let name): self.noticed(name)
        case .timePasses:
            self.now = max(self.now, self.supervisor.nextDeadline ?? self.now)
            self.perform(self.supervisor.timePassed(now: self.now))
        }
        self.check()
    }

    private mutating func die(_ name: String, _ end: ProcessEnd) {
        let number = Self.place(name)
        let place = self.processes[number].firstIndex { $0.end == nil }
        guard let place else { return }
        self.processes[number][place].end = end
    }

    private mutating func spawned(_ name: String) {
        guard let place = self.asked.firstIndex(of: name) else { return }
        self.asked.remove(at: place)
        let number = Self.place(name)
        self.spawnCounts[number] += 1
        let process = Process(pid: Int32(number + 1) * 100 + self.spawnCounts[number])
        self.processes[number].append(process)
        if self.slip == .startsTwice, self.processes[number].count != 1 { return }
        self.perform(self.supervisor.spawned(name, pid: process.pid, now: self.now))
    }

    private mutating func noticed(_ name: String) {
        let number = Self.place(name)
        guard let place = self.processes[number].firstIndex(where: { $0.end != nil }),
            let end = self.processes[number][place].end
        else { return }
        self.exitCount = self.slip == .losesExit ? self.exitCount + 1 : 0
        self.processes[number].remove(at: place)
        self.perform(self.supervisor.exited(name, end, lastLines: [], now: self.now))
    }

    private mutating func perform(_ actions: [SupervisorAction]) {
        for action in actions {
            switch action {
            case .spawn(let name):
                if !self.processes[Self.place(name)].isEmpty || self.asked.contains(name) {
                    self.wrong = self.wrong ?? "two of \(name)"
                }
                if self.finishedCount > 0 { self.wrong = self.wrong ?? "\(name) after the end" }
                self.asked.append(name)
                self.wasAsked[Self.place(name)] = true
                if self.startsAtOnce { self.spawned(name) }

            case .signal(let name, let pid, let signal): self.signal(name, pid, signal)
            case .report: break
            case .finished:
                self.finishedCount += 1
                if self.finishedCount > 1 { self.wrong = self.wrong ?? "it ended twice" }
                if !self.isToldToEnd { self.wrong = self.wrong ?? "it ended unasked" }
            }
        }
    }

    private mutating func signal(_ name: String, _ pid: Int32, _ signal: ProcessSignal) {
        let number = Self.place(name)
        guard let place = self.processes[number].firstIndex(where: { $0.pid == pid }) else {
            // The number may be another's by now.
            self.wrong = self.wrong ?? "a signal to \(name) (\(pid)), which is gone"
            return
        }
        if self.slip == .losesSignals, self.isToldToEnd { return }
        // One that has ended and was not noticed takes no notice either.
        guard self.processes[number][place].end == nil else { return }
        switch signal {
        case .terminate: self.processes[number][place].isAsked = true
        // As from a crash: the supervisor tells only success from the rest.
        case .kill: self.processes[number][place].end = .exited(code: 1)
        case .pause: self.processes[number][place].isPaused = true
        case .resume: self.processes[number][place].isPaused = false
        }
    }

    // MARK: What must hold

    /// Compares what the supervisor believes with what is.
    private mutating func check() {
        guard self.wrong == nil else { return }
        let status = self.supervisor.status
        for (name, processes) in zip(Self.names, self.processes) {
            let count = processes.count + self.asked.filter { $0 == name }.count
            if count > 1 { self.wrong = "two of \(name)" }
            guard let belief = status.first(where: { $0.name == name }) else {
                if count > 0 { self.wrong = "\(name) is forgotten and lives" }
                continue
            }
            switch belief.state {
            case .starting, .ready, .paused, .stopping:
                if count == 0 { self.wrong = "\(name) is \(belief.state.rawValue) and is not" }
                if belief.pid != nil, belief.pid != processes.first?.pid {
                    self.wrong = "\(name) is taken for \(belief.pid ?? 0)"
                }
            case .stopped, .backingOff, .crashLoop:
                if count > 0 { self.wrong = "\(name) is \(belief.state.rawValue) and lives" }
            }
            let waits = belief.state == .backingOff
            if waits, self.supervisor.nextDeadline == nil {
                self.wrong = "\(name) waits for ever"
            }
        }
        if self.finishedCount > 0, !self.processes.allSatisfy(\.isEmpty) || !self.asked.isEmpty {
            self.wrong = "it ended and something lives"
        }
    }
}

extension ProcessWorld {
    /// Tells the world to end and lets it; returns what is wrong where it does not.
    ///
    /// Processes that are not `obedient` end only when they are killed. Worlds that are known to
    /// end are remembered in `known`.
    func ending(obedient: Bool, known: inout Set<ProcessWorld>) -> String? {
        var world = self
        var way: [ProcessWorld] = []
        if !world.isToldToEnd { world.make(.stop) }
        while way.count < 60 {
            if let wrong = world.wrong { return wrong }
            if world.finishedCount == 1 || known.contains(world) {
                known.formUnion(way)
                return nil
            }
            way.append(world)
            let moves = world.ownMoves
            let next = moves.first { move in
                if case .obeys = move { return obedient }
                return move != .timePasses
            }
            guard let next = next ?? (moves.contains(.timePasses) ? .timePasses : nil) else {
                return "told to end, nothing will ever happen any more"
            }
            world.make(next)
        }
        return "told to end, and it does not"
    }

    /// Lets everything become ready that can; returns what is wrong where something cannot.
    func comingUp(known: inout Set<ProcessWorld>) -> String? {
        guard self.isStarted, !self.isToldToEnd else { return nil }
        var world = self
        var way: [ProcessWorld] = []
        while way.count < 120 {
            if let wrong = world.wrong { return wrong }
            let status = world.supervisor.status
            if known.contains(world) || status.allSatisfy({ $0.state == .ready }) {
                known.formUnion(way)
                return nil
            }
            way.append(world)
            guard let next = world.upwards(status) else {
                let states = status.map { "\($0.name) \($0.state.rawValue)" }
                return "never up: " + states.joined(separator: ", ")
            }
            world.make(next)
        }
        return "it never comes up"
    }

    /// The next thing that helps.
    private func upwards(_ status: [SupervisedStatus]) -> Move? {
        if let move = self.ownMoves.first(where: { $0 != .timePasses }) { return move }
        for one in status {
            switch one.state {
            case .starting where self.living(one.name) != nil: return .ready(one.name)
            case .paused: return .resume(one.name)
            case .crashLoop: return .revive(one.name)
            case .stopped where self.wasAsked[Self.place(one.name)]: return .revive(one.name)
            default: continue
            }
        }
        return self.supervisor.nextDeadline == nil ? nil : .timePasses
    }
}
