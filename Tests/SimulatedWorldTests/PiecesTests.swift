import Chaos
import Events
import Mesh
import ServiceKit
import SimulatedWorld
import Testing
import TopologyFile

// A handler comes in as many jobs as the compiler makes of it: the run must not depend on that.

private struct Visited: Event, Hashable {
    static let type = "visited.v1"
    static let topic = "visits"
    var visitor = ""
    var subject: String { self.visitor }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("visitor", &self.visitor)
    }
}

private struct Greeted: Event, Hashable {
    static let type = "greeted.v1"
    static let topic = "greetings"
    var visitor = ""
    var subject: String { self.visitor }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("visitor", &self.visitor)
    }
}

private protocol Pieces: Sendable {
    /// How often a handler leaves its actor and comes back.
    static func count(for visitor: String) -> Int
}

private enum OnePiece: Pieces {
    static func count(for visitor: String) -> Int { 0 }
}

private enum SomePieces: Pieces {
    static func count(for visitor: String) -> Int { visitor.utf8.count }
}

private actor Greeter<P: Pieces>: Service {
    static var name: String { "greeter" }
    static var consumes: [Subscription<Greeter<P>>] {
        [.on(Visited.self) { try await $0.visited($1, $2) }]
    }
    nonisolated let host: any Host

    init(host: any Host) { self.host = host }

    private func visited(_ event: Visited, _ turn: Turn<Greeter<P>>) async throws {
        for _ in 0..<P.count(for: event.visitor) { await Self.step() }
        try await self.host.sleep(for: .milliseconds(1))
        for _ in 0..<P.count(for: event.visitor) { await Self.step() }
        turn.decide {
            var greeted = Greeted()
            greeted.visitor = event.visitor
            turn.emit(greeted)
        }
    }

    @concurrent private static func step() async {}
}

/// Runs a greeter to whom several visitors come at once.
private func run<P: Pieces>(_ pieces: P.Type, seed: UInt64) throws -> ScenarioOutcome {
    let topology = try Topology.parse(
        """
        {
          name: "hello",
          services: {
            greeter: { executable: "Greeter", consumes: ["visits"], emits: ["greetings"] },
          },
          topics: { visits: {}, greetings: { types: ["greeted.v1"], recordOnly: true } },
          links: [{ from: "visitors", to: "greeter" }],
          outside: { visitors: { kind: "shoppers", emits: ["visits"] } },
        }
        """,
        file: "hello.json"
    )
    let publications = (0..<60).map { number in
        var visited = Visited()
        visited.visitor = String(repeating: "a", count: 1 + number % 7) + "\(number)"
        return Publication(visited, from: "visitors", at: .milliseconds(100 * (1 + number / 20)))
    }
    return ScenarioRun.run(
        Scenario(topology: topology, orders: 1, seed: seed),
        services: [.init(Greeter<P>.self)],
        publications: publications
    )
}

@Test(arguments: UInt64(1)...5)
func `in how many jobs a handler runs changes nothing in a run`(seed: UInt64) throws {
    let whole = try run(OnePiece.self, seed: seed)
    let pieces = try run(SomePieces.self, seed: seed)
    #expect(whole.verdict?.outcome == .passed)
    #expect(whole.hash == pieces.hash)
}
