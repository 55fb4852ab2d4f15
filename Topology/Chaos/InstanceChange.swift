import Mesh

/// A change of a service's instances under way: scaled, restarted, or restarted one by one.
///
/// Pure: it is told what the hub and the processes did, and returns what must be done. An instance
/// that is to end first hands its partitions over, so that nothing it has in hand is lost time;
/// the next step begins when all partitions have owners that are ready.
package struct InstanceChange: Sendable {
    package enum Kind: Sendable, Hashable {
        case scale(to: Int)
        /// These instances at once.
        case restart([String])
        /// One instance after the other.
        case roll
    }

    package enum Action: Sendable, Hashable {
        /// Start a process for a new instance.
        case start(String)
        /// Let the hub take all partitions from an instance; then say ``InstanceChange/left(_:)``.
        case leave(String)
        /// Let the process end, for good.
        case retire(String)
        /// Let the process end and start it again.
        case restart(String)
        /// All is as it was asked for.
        case finished
        /// It takes too long: what is missing.
        case failed(String)
    }

    /// How the hub sees a service.
    package struct View: Sendable, Hashable {
        /// Whether every partition has an owner with its state.
        package var isReady: Bool
        /// The partitions that each connected instance owns.
        package var owned: [String: [Int]]

        package init(isReady: Bool, owned: [String: [Int]]) {
            self.isReady = isReady
            self.owned = owned
        }

        /// Reads a service's part of the hub's status.
        package init(status: JSONValue) {
            self.isReady = status["ready"]?.bool ?? false
            self.owned = [:]
            for instance in status["instances"]?.array ?? [] {
                guard let name = instance["instance"]?.string else { continue }
                self.owned[name] = (instance["partitions"]?.array ?? [])
                    .compactMap { $0.int.map { Int(clamping: $0) } }
            }
        }
    }

    /// How long an instance may take to hand over before it is asked to end all the same.
    package static let leaveWithin = Duration.seconds(10)
    /// How long each step may take.
    package static let stepWithin = Duration.seconds(30)

    package let service: String
    package let kind: Kind
    /// The instances that there will be.
    package let expected: [String]
    private let partitions: Int
    /// What has its turn later.
    private var queue: [String] = []
    /// Handing their partitions over.
    private var leaving: [String] = []
    /// Asked to end.
    private var ending: [String] = []
    private var stepEnd = Instant.distantFuture
    private var leaveEnd = Instant.distantFuture
    private var isOver = false

    /// Prepares a change.
    ///
    /// - Parameters:
    ///   - kind: What is to happen.
    ///   - service: The service.
    ///   - instances: Its instances now, in the order of their numbers.
    ///   - partitions: The number of its partitions; each instance needs one.
    package init(_ kind: Kind, of service: String, instances: [String], partitions: Int) {
        self.kind = kind
        self.service = service
        self.partitions = partitions
        guard case .scale(let count) = kind else {
            self.expected = instances
            return
        }
        var expected = Array(instances.prefix(count))
        var number = 0
        while expected.count < count {
            number += 1
            let name = "\(service)-\(number)"
            if !expected.contains(name) { expected.append(name) }
        }
        self.expected = expected
        self.queue = Array(instances.dropFirst(count))
    }

    /// When ``timePassed(now:)`` must be called at the latest.
    package var nextDeadline: Instant? {
        let due = min(self.leaveEnd, self.stepEnd)
        return self.isOver || due == .distantFuture ? nil : due
    }

    // MARK: What happened

    /// The change shall begin; `present` are the instances that there are.
    package mutating func begun(present: [String], now: Instant) -> [Action] {
        switch self.kind {
        case .scale:
            let new = self.expected.filter { !present.contains($0) }
            guard !new.isEmpty || !self.queue.isEmpty else { return self.over(.finished) }
            let departing = self.queue
            self.queue = []
            return new.map { .start($0) } + self.letLeave(departing, now)
        case .restart(let instances):
            return self.letLeave(instances, now)
        case .roll:
            self.queue = self.expected
            return self.letLeave([self.queue.removeFirst()], now)
        }
    }

    private mutating func letLeave(_ instances: [String], _ now: Instant) -> [Action] {
        self.leaving = instances
        self.stepEnd = now + Self.stepWithin
        self.leaveEnd = instances.isEmpty ? .distantFuture : now + Self.leaveWithin
        return instances.map { .leave($0) }
    }

    /// An instance owns nothing any more, or is gone from the hub.
    package mutating func left(_ instance: String) -> [Action] {
        guard let index = self.leaving.firstIndex(of: instance), !self.isOver else { return [] }
        self.leaving.remove(at: index)
        if self.leaving.isEmpty { self.leaveEnd = .distantFuture }
        self.ending.append(instance)
        return [self.expected.contains(instance) ? .restart(instance) : .retire(instance)]
    }

    /// A process has ended.
    package mutating func ended(_ instance: String) {
        self.ending.removeAll { $0 == instance }
    }

    /// The hub has forgotten who is to leave: it came back, or the instance did.
    package func hubForgot(_ instance: String? = nil) -> [Action] {
        self.leaving.filter { instance == nil || $0 == instance }.map { .leave($0) }
    }

    /// This is how the hub sees the service now.
    package mutating func observed(_ view: View, now: Instant) -> [Action] {
        guard !self.isOver, self.leaving.isEmpty, self.ending.isEmpty, self.isSettled(view)
        else { return [] }
        guard !self.queue.isEmpty else { return self.over(.finished) }
        return self.letLeave([self.queue.removeFirst()], now)
    }

    /// Whether exactly the expected instances are there, each with its share.
    private func isSettled(_ view: View) -> Bool {
        let busy = min(self.expected.count, self.partitions)
        return view.isReady && view.owned.keys.sorted() == self.expected.sorted()
            && view.owned.values.count { !$0.isEmpty } == busy
    }

    /// Goes on without an instance that does not hand over, and gives up what takes too long.
    package mutating func timePassed(now: Instant) -> [Action] {
        guard !self.isOver else { return [] }
        if self.stepEnd <= now {
            let waiting = self.leaving + self.ending
            let missing = waiting.isEmpty ? self.expected : waiting
            return self.over(.failed(missing.joined(separator: ", ")))
        }
        guard self.leaveEnd <= now else { return [] }
        return self.leaving.flatMap { self.left($0) }
    }

    private mutating func over(_ action: Action) -> [Action] {
        self.isOver = true
        return [action]
    }
}
