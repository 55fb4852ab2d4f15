import Chaos
import Dispatch
import Events
import Foundation
import Mesh
import ServiceKit
import SimulatedWorld
import Synchronization
import TestSupport
import Testing
import TopologyFile

/// What an author must not do, and what the run says of it.
private enum Misdeed: String, CaseIterable, Sendable {
    case date, continuousClock, suspendingClock
    case uuid, chance, shuffled
    case file, socket, thread, queue, nap
    case detachedTask, taskOfNobody, taskSleep, taskSleepByCount, mainActor
    case threadWakes, nobodyWakes
    case hostElsewhere

    /// The guilty call, and words of the advice.
    var words: [String] {
        switch self {
        case .date: ["(clock_gettime)", "turn.now"]
        case .continuousClock: ["(clock_gettime)", "ContinuousClock"]
        case .suspendingClock: ["(clock_gettime)"]
        case .uuid: ["takes randomness from the machine", "UUID()"]
        case .chance, .shuffled: ["(getrandom)", "host.random()"]
        case .file: ["opens a file (", "turn.record"]
        case .socket: ["(socket)", "outside party"]
        case .thread: ["(pthread_create)"]
        case .queue: ["(dispatch_async)"]
        case .mainActor: ["(dispatch_async_f)", "main actor"]
        case .nap: ["sleep)", "turn.schedule"]
        case .detachedTask: ["on the global executor)", "Task.detached"]
        case .taskOfNobody: ["on the global executor)", "Task {}"]
        case .taskSleep, .taskSleepByCount: ["Task.sleep", "host.sleep(for:)"]
        case .threadWakes: ["is woken by another thread (job "]
        case .nobodyWakes: ["waits for something outside of the simulated world"]
        case .hostElsewhere: ["calls host.now on another thread"]
        }
    }
}

extension Misdeed {
    init?(of host: any ServiceKit.Host) {
        self.init(rawValue: host.settings["misdeed"]?.string ?? "")
    }

    /// Whether only a handler that suspends can do it.
    var suspends: Bool {
        switch self {
        case .detachedTask, .taskOfNobody, .taskSleep, .taskSleepByCount, .mainActor: true
        case .threadWakes, .nobodyWakes: true
        default: false
        }
    }
}

/// A thread that is there before a run begins, and does what it is told meanwhile.
private final class OtherThread: Sendable {
    static let shared = OtherThread()

    private let work = Mutex<(@Sendable () -> Void)?>(nil)
    private let ready = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)

    init() {
        Thread.detachNewThread {
            while true {
                self.ready.wait()
                self.work.withLock { $0 }?()
                self.done.signal()
            }
        }
    }

    /// Returns when it is done.
    func run(_ body: @escaping @Sendable () -> Void) {
        self.work.withLock { $0 = body }
        self.ready.signal()
        self.done.wait()
    }
}

/// A service that does something wrong in a handler that cannot suspend.
private actor Hasty: Service {
    static let name = "rogue"
    static let consumes: [Subscription<Hasty>] = [
        .on(OrderConfirmed.self) { rogue, _, turn in
            rogue.misbehave()
            turn.decide {}
        }
    ]
    nonisolated let host: any ServiceKit.Host

    init(host: any ServiceKit.Host) { self.host = host }

    private func misbehave() {
        switch Misdeed(of: self.host) {
        case .date: _ = Date()
        case .continuousClock: _ = ContinuousClock.now
        case .suspendingClock: _ = SuspendingClock.now
        case .uuid: _ = UUID()
        case .chance: _ = Int.random(in: 0..<1000)
        case .shuffled: _ = [1, 2, 3].shuffled()
        case .file: _ = FileManager.default.contents(atPath: "/proc/self/status")
        case .socket: close(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        case .thread: Thread.detachNewThread {}
        case .queue: DispatchQueue.global().async {}
        case .nap: usleep(1)
        case .hostElsewhere: OtherThread.shared.run { [host] in _ = host.now() }
        default: break
        }
    }
}

/// A service that does something wrong in a handler that suspends.
private actor Patient: Service {
    static let name = "rogue"
    static let consumes: [Subscription<Patient>] = [
        .on(OrderConfirmed.self) { rogue, _, turn in
            try await rogue.misbehave()
            turn.decide {}
        }
    ]
    nonisolated let host: any ServiceKit.Host
    private var waiting: CheckedContinuation<Void, Never>?

    init(host: any ServiceKit.Host) { self.host = host }

    private nonisolated func work() -> Task<Void, Never> { Task { await Task.yield() } }

    private func misbehave() async throws {
        switch Misdeed(of: self.host) {
        case .detachedTask: await Task.detached { await Task.yield() }.value
        case .taskOfNobody: await self.work().value
        case .taskSleep: try await Task.sleep(for: .seconds(5))
        case .mainActor: await MainActor.run {}
        case .taskSleepByCount: try await Task.sleep(nanoseconds: 1_000_000)
        case .threadWakes:
            if let waiting = self.waiting {
                self.waiting = nil
                OtherThread.shared.run { waiting.resume() }
            } else {
                await withCheckedContinuation { self.waiting = $0 }
            }
        case .nobodyWakes: await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        default: break
        }
    }
}

/// Runs the shop with one more service that does something wrong; or nothing, where that is nil.
private func run(_ misdeed: Misdeed?) throws -> ScenarioOutcome {
    _ = OtherThread.shared
    let settings: JSONValue = ["misdeed": .string(misdeed?.rawValue ?? "")]
    let topology = try shopTopology().adding(Hasty.self, settings: settings)
    let scenario = Scenario(topology: topology, orders: 10, seed: 5)
    let services =
        misdeed?.suspends == true
        ? ServiceCatalogue.linked.adding(Patient.self) : .linked.adding(Hasty.self)
    return ScenarioRun.run(scenario, services: services)
}

@Test(arguments: Misdeed.allCases)
private func `what a service does beside its host is caught with its name`(
    misdeed: Misdeed
) throws {
    let outcome = try run(misdeed)
    let failure = try #require(outcome.failure)
    #expect(failure.invariant == "stays-inside")
    #expect(failure.summary.hasPrefix("rogue-1"), "\(failure.summary)")
    for words in misdeed.words {
        #expect(failure.summary.contains(words), "\(failure.summary)")
    }
    // Another thread does not know what the service is about.
    if misdeed != .threadWakes, misdeed != .hostElsewhere {
        #expect(
            failure.summary.contains("in its handler of orders.confirmed.v1 of order-"),
            "\(failure.summary)"
        )
    }
}

@Test func `a service that keeps to its host is not suspected`() throws {
    let outcome = try run(nil)
    #expect(outcome.hasPassed, "\(String(describing: outcome.failure))")
}

@Test func `what happens beside a run on its own thread is nobody's escape`() throws {
    let topology = try shopTopology()
    let shop = SimulatedShop(topology: topology, orders: 10, seed: 3)
    shop.start()
    _ = (Date(), UUID(), Int.random(in: 0..<9))
    #expect(try shop.runToRest())
    _ = (Date(), UUID(), Int.random(in: 0..<9))
    #expect(shop.escapes.isEmpty, "\(shop.escapes)")
}

/// A service that lets the order of a Set be seen.
private actor Unordered: Service {
    static let name = "rogue"
    static let consumes: [Subscription<Unordered>] = [
        .on(OrderConfirmed.self) { _, event, turn in
            let tags = Set((1...24).map { "\(event.order)-tag-\($0)" })
            let text = tags.joined(separator: " ")
            turn.decide { turn.emit(Tagged(order: "\(event.order)", tags: text)) }
        }
    ]
    nonisolated let host: any ServiceKit.Host

    init(host: any ServiceKit.Host) { self.host = host }
}

private struct Tagged: Event, Hashable {
    static let type = "orders.tagged.v1"
    static let topic = "orders.tagged"
    var order = ""
    var tags = ""
    var subject: String { self.order }

    init() {}
    init(order: String, tags: String) {
        self.order = order
        self.tags = tags
    }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("tags", &self.tags)
    }
}

@Test func `the order of a Set that reaches an event is caught with that event`() throws {
    let topology = try shopTopology().adding(Unordered.self, emits: [Tagged.topic])
    let scenario = Scenario(topology: topology, orders: 10, seed: 5)
    let difference = try #require(
        ScenarioRun.difference(scenario, services: .linked.adding(Unordered.self))
    )
    #expect(difference.left?.contains("orders.tagged.v1") == true, "\(difference)")
    #expect(difference.right?.contains("orders.tagged.v1") == true, "\(difference)")
    #expect(difference.left != difference.right)
}

@Test func `equal runs differ in nothing`() throws {
    let scenario = Scenario(topology: try shopTopology(), orders: 10, seed: 5)
    #expect(ScenarioRun.difference(scenario) == nil)
}

@Test func `the first difference of two lists of events is where one ends, too`() {
    #expect(RunDifference(["a", "b"], ["a", "b"]) == nil)
    #expect(RunDifference(["a", "b", "c"], ["a", "x", "c"])?.number == 2)
    let shorter = RunDifference(["a"], ["a", "b"])
    #expect(shorter?.number == 2)
    #expect(shorter?.left == nil)
    #expect(shorter?.right == "b")
}

@Test func `a service that is used on another thread ends the process instead of racing`() async {
    await #expect(processExitsWith: .failure) {
        _ = OtherThread.shared
        let topology = try shopTopology().adding(Racing.self)
        let scenario = Scenario(topology: topology, orders: 10, seed: 5)
        _ = ScenarioRun.run(scenario, services: .linked.adding(Racing.self))
    }
}

/// A service that decides on another thread.
private actor Racing: Service {
    static let name = "rogue"
    static let consumes: [Subscription<Racing>] = [
        .on(OrderConfirmed.self) { _, _, turn in
            OtherThread.shared.run { turn.decide {} }
        }
    ]
    nonisolated let host: any ServiceKit.Host

    init(host: any ServiceKit.Host) { self.host = host }
}
