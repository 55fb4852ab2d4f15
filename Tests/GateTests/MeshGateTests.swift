import Mesh
import ServiceKit
import Testing

/// Ceilings of what events cost in a debug build: speed cannot rot unseen.
///
/// A change that needs less lowers them; one that needs more has to say why. How far memory grows
/// at a time depends on what else was allocated, so copies get the room of less than half a copy.
@Suite("Gates of the mesh", .enabled(if: Cost.isCounted))
struct MeshGateTests {
    /// What one of something may cost each of the three.
    private struct Ceilings {
        var publisher: Double
        var hub: Double
        var service: Double
    }

    private static let data = [UInt8](repeating: 7, count: 4096)
    private static let count = Trio<Clerk>.eventCount

    @Test func `a durable event that is handled in a turn costs no more than it did`() throws {
        try self.expect(
            Clerk.self,
            .always,
            allocationsAnEvent: Ceilings(publisher: 1.1, hub: 15.3, service: 13.2),
            copiesOfAByte: Ceilings(publisher: 3.6, hub: 4.1, service: 2.3),
            writes: 2
        )
    }

    @Test func `a durable event that is folded costs no more than it did`() throws {
        try self.expect(
            Counter.self,
            .always,
            allocationsAnEvent: Ceilings(publisher: 1.1, hub: 5.3, service: 9.2),
            copiesOfAByte: Ceilings(publisher: 3.6, hub: 3.8, service: 2.3),
            writes: 2
        )
    }

    @Test func `a volatile event that is handled in a turn costs no more than it did`() throws {
        try self.expect(
            Clerk.self,
            .never,
            allocationsAnEvent: Ceilings(publisher: 1.1, hub: 11.2, service: 13.2),
            copiesOfAByte: Ceilings(publisher: 2.7, hub: 3.7, service: 2.3),
            writes: 1
        )
    }

    @Test func `a volatile event that is folded costs no more than it did`() throws {
        try self.expect(
            Counter.self,
            .never,
            allocationsAnEvent: Ceilings(publisher: 1.1, hub: 1.2, service: 9.2),
            copiesOfAByte: Ceilings(publisher: 2.7, hub: 3.6, service: 2.3),
            writes: 1
        )
    }

    @Test func `a fault of one link costs the events of the others nothing`() throws {
        func hub(arm: (Hub) -> Void) throws -> Cost {
            try Trio<Counter>(arm: arm).steadyCosts(data: []).hub
        }
        let unarmed = try hub { _ in }
        let armed = try hub { $0.armStanding(LinkFault(kind: .drop), from: "bank", to: "orders") }
        // Once for all of them is no matter.
        let most = unarmed[.allocations] + Self.count / 20
        #expect(armed[.allocations] <= most, "\(armed); without the fault \(unarmed)")
    }

    /// Checks small events for allocations, and large ones for copies of their data.
    private func expect<S: Service>(
        _ service: S.Type,
        _ sync: MeshLayout.SyncPolicy,
        allocationsAnEvent: Ceilings,
        copiesOfAByte: Ceilings,
        writes: Double,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let small = try Trio<S>(sync: sync).steadyCosts(data: Array(Self.data[..<256]))
        let large = try Trio<S>(sync: sync).steadyCosts(data: Self.data)
        let parts: [(String, KeyPath<TrioCosts, Cost>, KeyPath<Ceilings, Double>)] = [
            ("the publisher", \.publisher, \.publisher), ("the hub", \.hub, \.hub),
            ("the service", \.service, \.service),
        ]
        func expect(_ what: String, _ cost: Cost, _ kind: Cost.Kind, _ count: Int, _ most: Double) {
            cost.expect(kind, of: what, count, atMost: most, sourceLocation: sourceLocation)
        }
        for (who, cost, ceiling) in parts {
            let most = (allocationsAnEvent[keyPath: ceiling], copiesOfAByte[keyPath: ceiling])
            expect("an event in \(who)", small[keyPath: cost], .allocations, Self.count, most.0)
            let bytes = Self.count * Self.data.count
            expect("a byte in \(who)", large[keyPath: cost], .copiedBytes, bytes, most.1)
        }
        // Each write is synced: that of what is published, where that is durable, and of the turns.
        for kind in [Cost.Kind.writes, .syncs] {
            expect("\(Self.count) events at once in the hub", small.hub, kind, 1, writes)
        }
        // What is delivered at once is still in memory.
        expect("\(Self.count) events at once in the hub", large.hub, .reads, 1, 0)
    }
}
