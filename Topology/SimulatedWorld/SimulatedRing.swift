import Mesh

/// Services in a ring, each of which passes on to the next what it gets; two are a ping-pong.
///
/// The simulator alone, without a hub, for measuring it. Every message is bytes on a link of its
/// own with latency, every service an actor on the simulation's executor, and the run's hash has
/// all of it.
package final class SimulatedRing {
    private let simulation: Simulation
    private var links: [RingLink] = []

    /// Creates a ring with one message under way for each of `tokens`, spread over the services.
    package init(services: Int, tokens: Int, seed: UInt64) {
        precondition(services >= 1 && tokens >= 1, "a ring has services and messages")
        let simulation = Simulation(seed: seed)
        self.simulation = simulation
        let executor = simulation.executor(of: "ring")
        let actors = (0..<services).map { RingService(number: $0, executor: executor) }
        self.links = actors.indices.map {
            RingLink(simulation: simulation, to: actors[($0 + 1) % services], number: $0)
        }
        for (index, actor) in actors.enumerated() {
            let link = self.links[index]
            actor.assumeIsolated { $0.next = link }
        }
        for token in 0..<tokens {
            self.links[token % services].send([UInt8](repeating: 0, count: 64))
        }
    }

    /// How many messages have arrived.
    package var messageCount: Int { self.simulation.messageCount }
    /// The hash of everything that happened.
    package var hash: UInt64 { self.simulation.hash }

    /// Runs until `count` more messages have arrived.
    package func run(messages count: Int) {
        let end = self.simulation.messageCount + count
        self.simulation.run(within: .seconds(1_000_000)) { self.simulation.messageCount >= end }
    }

    /// Lets go of what is under way, so that the memory is freed.
    package func end() {
        self.simulation.end()
        for link in self.links { link.close() }
    }
}

/// Passes on what it gets, and counts it.
private actor RingService {
    private nonisolated let executor: SimulatedExecutor
    private let number: Int
    private var count: UInt64 = 0
    var next: RingLink?

    init(number: Int, executor: SimulatedExecutor) {
        self.number = number
        self.executor = executor
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.executor.asUnownedSerialExecutor()
    }

    func received(_ message: [UInt8]) {
        self.count += 1
        var copy = message
        copy.withUnsafeMutableBytes { $0.storeBytes(of: self.count, as: UInt64.self) }
        self.next?.send(copy)
    }
}

/// A link in one direction, with latency; messages keep their order.
private final class RingLink: @unchecked Sendable {
    // Confined to the thread that drives the simulation.
    private let simulation: Simulation
    private var target: RingService?
    private let process: Int
    private var random: SeededRandom
    private var arrival = Instant.zero

    init(simulation: Simulation, to target: RingService, number: Int) {
        self.simulation = simulation
        self.target = target
        self.process = simulation.process("link \(number)")
        self.random = simulation.random(for: "link \(number)")
    }

    func send(_ message: [UInt8]) {
        let latency = Duration.microseconds(10 + self.random.below(60))
        self.arrival = max(self.arrival, self.simulation.now + latency)
        self.simulation.at(self.arrival, by: self.process) { [self] in self.arrive(message) }
    }

    private func arrive(_ message: [UInt8]) {
        guard let target = self.target else { return }
        self.simulation.messageCount += 1
        message.withUnsafeBytes { self.simulation.note($0, UInt64(self.process)) }
        target.assumeIsolated { $0.received(message) }
    }

    func close() { self.target = nil }
}
