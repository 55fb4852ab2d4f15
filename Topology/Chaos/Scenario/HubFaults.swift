import Mesh

/// Keeps what goes wrong at the hub in line with what a scenario wants: links, slow services and
/// the hub's disk, whatever becomes of the hub in between.
///
/// Pure: it is told which faults begin and end, when the hub comes and goes and what it answers,
/// and returns what to ask it. What begins together is armed by one request, in one step. A hub
/// forgets everything with its process; a new one is told again.
package struct HubFaults: Sendable {
    /// What to ask the hub; hand it back with the answer.
    package struct Request: Sendable, Hashable {
        enum Deed: Sendable, Hashable {
            case arm([Int])
            case heal([Int])
            case slow(String)
            /// The faults of the disk that are told then.
            case disk([Int])
            case count
        }

        var deed: Deed
        package var json: JSONValue
    }

    private struct State: Sendable {
        var isWanted = false
        /// What the hub calls it, where it is armed there.
        var rule: Int64?
        /// Whether the hub has not answered yet.
        var isAsking = false
        /// Whether the hub has said that it is in force.
        var isArmed = false
        /// Whether the hub's disk was told of it.
        var isTold = false
        /// Whether another fault does the same already.
        var isCovered = false
        /// How often it bit under rules that are gone.
        var earlier = 0
        /// How often it bit under the rule that is armed.
        var current = 0
    }

    /// All that is wrong with the disk, as the hub takes it.
    private struct Harm: Sendable, Hashable {
        var syncDelay = Duration.zero
        var isFull = false
        var failsNextSync = false
        var tearsNextWrite = false
    }

    private let faults: [Fault]
    private var states: [State]
    private var isUp = false
    /// By how many milliseconds the hub was told that services are slow.
    private var slowed: [String: Int64] = [:]
    private var harm = Harm()
    /// The faults that the disk's counts belong to.
    private var harming: [Int] = []
    /// What the disk had counted when last heard of.
    private var delayedCount: Int64 = 0
    private var refusedCount: Int64 = 0

    /// Returns whether a fault is one of these.
    package static func takes(_ kind: Fault.Kind) -> Bool {
        switch kind.aim {
        case .link, .service: true
        case .disk: kind != .bitRot
        case .process, .party, .load: false
        }
    }

    /// Creates the keeper of those of a scenario's faults that happen at the hub.
    package init(faults: [Fault]) {
        self.faults = faults
        self.states = [State](repeating: State(), count: faults.count)
    }

    // MARK: What is

    /// How often each fault bit, as far as is known; 0 for what others count.
    package var bitten: [Int] { self.states.map { $0.earlier + $0.current } }

    /// The faults that are surely in force.
    package var armed: [Int] { self.states.indices.filter { self.states[$0].isArmed } }

    /// Whether the hub is as it should be.
    package var isSettled: Bool {
        self.states.allSatisfy { !$0.isAsking && ($0.isWanted || $0.rule == nil) }
    }

    /// Whether the hub counts something now that would be lost with it.
    package var isCounting: Bool {
        self.isUp && (self.states.contains { $0.rule != nil } || self.harm != Harm())
    }

    // MARK: What happened

    /// These faults begin, all in one step.
    package mutating func began(_ indices: [Int]) -> [Request] {
        for index in indices where Self.takes(self.faults[index].kind) {
            self.states[index].isWanted = true
        }
        return self.requests()
    }

    /// These faults are over.
    package mutating func ended(_ indices: [Int]) -> [Request] {
        for index in indices {
            self.states[index].isWanted = false
            self.states[index].isArmed = false
        }
        return self.requests()
    }

    /// Everything is over, also what waits for its moment.
    package mutating func endedAll() -> [Request] { self.ended(Array(self.faults.indices)) }

    /// A new hub is there, which knows nothing.
    package mutating func hubIsUp() -> [Request] {
        self.hubIsGone()
        self.isUp = true
        return self.requests()
    }

    /// The hub is gone, and what it had counted since it last said so.
    package mutating func hubIsGone() {
        self.isUp = false
        for index in self.states.indices {
            self.states[index].isAsking = false
            self.states[index].isArmed = false
            self.states[index].isCovered = false
            self.states[index].rule = nil
            self.states[index].earlier += self.states[index].current
            self.states[index].current = 0
        }
        self.slowed = [:]
        self.harm = Harm()
        self.harming = []
        (self.delayedCount, self.refusedCount) = (0, 0)
    }

    /// The hub ended by itself: where its disk was to fail, that is why.
    package mutating func hubFailed() {
        for index in self.states.indices
        where self.states[index].isWanted && self.states[index].isTold {
            guard self.faults[index].kind.isMomentary else { continue }
            self.states[index].isWanted = false
            self.states[index].earlier += 1
        }
    }

    /// The hub answered a request; nil where it went away first.
    package mutating func answered(_ request: Request, _ answer: JSONValue?) -> [Request] {
        switch request.deed {
        case .arm(let indices):
            for index in indices { self.states[index].isAsking = false }
            // A hub that is gone is told again when it is back.
            guard let answer else { return [] }
            for (index, armed) in zip(indices, answer["armed"]?.array ?? []) {
                self.states[index].rule = armed["number"]?.int
                self.states[index].isCovered = armed["number"]?.int == nil
                self.states[index].isArmed = self.states[index].isWanted
            }
        case .heal(let indices):
            for index in indices { self.states[index].isAsking = false }
            guard let answer else { return [] }
            self.count(rules: answer["healed"]?.array ?? [])
            for index in indices {
                self.states[index].rule = nil
                self.states[index].earlier += self.states[index].current
                self.states[index].current = 0
            }
            for index in self.states.indices { self.states[index].isCovered = false }
        case .slow(let service):
            guard answer != nil else { return [] }
            self.areArmed { $0.kind == .slow && $0.target == service }
        case .disk(let indices):
            guard let answer else { return [] }
            // A disk that is filled may refuse something at once.
            self.harming += indices.filter { !self.harming.contains($0) }
            self.count(disk: answer["disk"])
            self.harming = indices
            self.areArmed { $0.kind.aim == .disk }
        case .count:
            guard let answer else { return [] }
            self.count(rules: answer["rules"]?.array ?? [])
            self.count(disk: answer["disk"])
        }
        return self.requests()
    }

    /// Returns the question how often everything has bitten.
    package var question: Request { Request(deed: .count, json: ["do": "status"]) }

    /// Those of these faults that are wanted are in force.
    private mutating func areArmed(_ isMeant: (Fault) -> Bool) {
        for index in self.states.indices
        where self.states[index].isWanted && isMeant(self.faults[index]) {
            self.states[index].isArmed = true
        }
    }

    // MARK: Counting

    private mutating func count(rules: [JSONValue]) {
        for rule in rules {
            guard let number = rule["number"]?.int, let bitten = rule["bitten"]?.int,
                let index = self.states.firstIndex(where: { $0.rule == number })
            else { continue }
            self.states[index].current = Int(clamping: bitten)
        }
    }

    private mutating func count(disk: JSONValue?) {
        guard let delayed = disk?["delayed"]?.int, let refused = disk?["refused"]?.int else {
            return
        }
        let more = [
            Fault.Kind.slowSync: delayed - self.delayedCount,
            Fault.Kind.diskFull: refused - self.refusedCount,
        ]
        (self.delayedCount, self.refusedCount) = (delayed, refused)
        for index in self.harming {
            self.states[index].earlier += Int(clamping: more[self.faults[index].kind] ?? 0)
        }
    }

    // MARK: What to ask

    private mutating func requests() -> [Request] {
        guard self.isUp else { return [] }
        return self.healing() + self.arming() + self.slowing() + self.harmingDisk()
    }

    private mutating func healing() -> [Request] {
        let over = self.states.indices.filter {
            self.faults[$0].kind.aim == .link && !self.states[$0].isWanted
                && self.states[$0].rule != nil && !self.states[$0].isAsking
        }
        guard !over.isEmpty else { return [] }
        for index in over { self.states[index].isAsking = true }
        let numbers = over.map { JSONValue.int(self.states[$0].rule ?? 0) }
        return [Request(deed: .heal(over), json: ["do": "heal", "numbers": .array(numbers)])]
    }

    private mutating func arming() -> [Request] {
        let new = self.states.indices.filter {
            self.faults[$0].kind.aim == .link && self.states[$0].isWanted
                && self.states[$0].rule == nil && !self.states[$0].isAsking
                && !self.states[$0].isCovered
        }
        guard !new.isEmpty else { return [] }
        for index in new { self.states[index].isAsking = true }
        let faults = new.compactMap { index -> JSONValue? in
            let fault = self.faults[index]
            return fault.linkFault.map {
                ["from": .string(fault.target), "to": .string(fault.to), "fault": $0.json]
            }
        }
        return [Request(deed: .arm(new), json: ["do": "arm", "faults": .array(faults)])]
    }

    /// A service is as slow as the slowest of its faults says.
    private mutating func slowing() -> [Request] {
        var wanted: [String: Int64] = [:]
        for (fault, state) in zip(self.faults, self.states)
        where fault.kind == .slow && state.isWanted {
            let by = max(1, (fault.parameters.by ?? .zero).inMilliseconds)
            wanted[fault.target] = max(by, wanted[fault.target] ?? 0)
        }
        var requests: [Request] = []
        for name in Set(wanted.keys).union(self.slowed.keys).sorted() {
            let by = wanted[name] ?? 0
            guard by != self.slowed[name] ?? 0 else {
                self.areArmed { $0.kind == .slow && $0.target == name }
                continue
            }
            requests.append(
                Request(
                    deed: .slow(name),
                    json: ["do": "slow", "service": .string(name), "milliseconds": .int(by)]
                )
            )
        }
        self.slowed = wanted
        return requests
    }

    private mutating func harmingDisk() -> [Request] {
        var wanted = Harm()
        let told = self.states.indices.filter {
            self.faults[$0].kind.aim == .disk && self.states[$0].isWanted
        }
        for index in told {
            switch self.faults[index].kind {
            case .slowSync:
                let by = self.faults[index].parameters.by ?? .zero
                wanted.syncDelay = max(wanted.syncDelay, by)
            case .diskFull: wanted.isFull = true
            case .failedSync: wanted.failsNextSync = true
            case .tornWrite: wanted.tearsNextWrite = true
            default: continue
            }
        }
        guard wanted != self.harm else {
            self.areArmed { $0.kind.aim == .disk }
            return []
        }
        self.harm = wanted
        for index in told { self.states[index].isTold = true }
        return [
            Request(
                deed: .disk(told),
                json: [
                    "do": "disk", "syncDelay": .int(wanted.syncDelay.inNanoseconds),
                    "isFull": .bool(wanted.isFull),
                    "failsNextSync": .bool(wanted.failsNextSync),
                    "tearsNextWrite": .bool(wanted.tearsNextWrite),
                ]
            )
        ]
    }
}
