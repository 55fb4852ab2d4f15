import Chaos
import Mesh
import Testing

/// What a hub is told of a scenario's faults, and what it says of them.
@Suite struct `The keeper of faults at the hub` {
    private static let now = Fault.Trigger.at(.zero)

    private static func link(_ kind: Fault.Kind, _ to: String) -> Fault {
        Fault(kind, "orders", to: to, Self.now, for: .seconds(1))
    }

    private static func armed(_ numbers: Int64...) -> JSONValue {
        ["armed": .array(numbers.map { ["number": .int($0)] })]
    }

    private static func rule(_ number: Int64, bitten: Int64) -> JSONValue {
        ["number": .int(number), "bitten": .int(bitten)]
    }

    @Test func `arms what begins together by one request, and heals it by one`() throws {
        var keeper = HubFaults(faults: [Self.link(.cut, "inventory"), Self.link(.drop, "payments")])
        #expect(keeper.hubIsUp() == [])
        let arming = keeper.began([0, 1])
        #expect(arming.map { $0.json["do"] } == ["arm"])
        let arm = try #require(arming.first)
        let faults = arm.json["faults"]?.array ?? []
        #expect(faults.map { $0["to"]?.string } == ["inventory", "payments"])
        #expect(!keeper.isSettled)
        #expect(keeper.armed == [])
        #expect(keeper.answered(arm, Self.armed(7, 8)) == [])
        #expect(keeper.armed == [0, 1])
        #expect(keeper.isSettled && keeper.isCounting)
        let healing = keeper.ended([0, 1])
        #expect(healing.map(\.json) == [["do": "heal", "numbers": [7, 8]]])
        #expect(!keeper.isSettled)
        let healed: JSONValue = [
            "healed": [Self.rule(8, bitten: 3), Self.rule(7, bitten: 0)]
        ]
        #expect(keeper.answered(try #require(healing.first), healed) == [])
        #expect(keeper.isSettled && !keeper.isCounting)
        #expect(keeper.bitten == [0, 3])
        #expect(keeper.armed == [])
    }

    @Test func `tells a new hub all that stands, and keeps what the old one had counted`() throws {
        var keeper = HubFaults(faults: [Self.link(.drop, "inventory"), Self.link(.cut, "payments")])
        #expect(keeper.began([0, 1]) == [], "there is no hub yet")
        let arm = try #require(keeper.hubIsUp().first)
        _ = keeper.answered(arm, Self.armed(1, 2))
        let status: JSONValue = ["rules": [Self.rule(1, bitten: 5), Self.rule(2, bitten: 1)]]
        _ = keeper.answered(keeper.question, status)
        keeper.hubIsGone()
        // A question that a hub takes with it is no reason to ask at once again.
        #expect(keeper.answered(keeper.question, nil) == [])
        #expect(keeper.ended([1]) == [])
        let again = keeper.hubIsUp()
        #expect(again.map { $0.json["faults"]?.array?.count } == [1])
        _ = keeper.answered(try #require(again.first), Self.armed(1))
        _ = keeper.answered(keeper.question, ["rules": [Self.rule(1, bitten: 2)]])
        #expect(keeper.bitten == [7, 1])
    }

    @Test func `heals what ended while it was being armed`() throws {
        var keeper = HubFaults(faults: [Self.link(.cut, "inventory")])
        _ = keeper.hubIsUp()
        let arm = try #require(keeper.began([0]).first)
        #expect(keeper.ended([0]) == [], "nobody knows its number yet")
        #expect(
            keeper.answered(arm, Self.armed(4)).map(\.json) == [["do": "heal", "numbers": [4]]]
        )
    }

    @Test func `lets a service be as slow as the slowest of its faults`() {
        let slow = [20, 50].map { milliseconds in
            Fault(
                .slow,
                "orders",
                Self.now,
                for: .seconds(1),
                Fault.Parameters(by: .milliseconds(milliseconds))
            )
        }
        var keeper = HubFaults(faults: slow)
        _ = keeper.hubIsUp()
        #expect(keeper.began([0]).map { $0.json["milliseconds"] } == [20])
        #expect(keeper.began([1]).map { $0.json["milliseconds"] } == [50])
        #expect(keeper.ended([1]).map { $0.json["milliseconds"] } == [20])
        #expect(keeper.ended([0]).map { $0.json["milliseconds"] } == [0])
    }

    @Test func `counts a sync as failed when the hub ends by it, once`() throws {
        var keeper = HubFaults(faults: [Fault(.failedSync, "hub", Self.now, for: .zero)])
        _ = keeper.hubIsUp()
        let harm = try #require(keeper.began([0]).first)
        #expect(harm.json["failsNextSync"] == true)
        _ = keeper.answered(harm, [:])
        #expect(keeper.bitten == [0])
        keeper.hubIsGone()
        keeper.hubFailed()
        keeper.hubFailed()
        #expect(keeper.bitten == [1])
        #expect(keeper.hubIsUp() == [], "it is over")
    }

    @Test func `takes the disk's counts as they grow`() throws {
        var keeper = HubFaults(
            faults: [Fault(.diskFull, "hub", Self.now, for: .seconds(1))]
        )
        _ = keeper.hubIsUp()
        let full = try #require(keeper.began([0]).first)
        _ = keeper.answered(full, ["disk": ["delayed": 0, "refused": 1]])
        #expect(keeper.bitten == [1])
        _ = keeper.answered(keeper.question, ["disk": ["delayed": 0, "refused": 2]])
        let over = try #require(keeper.ended([0]).first)
        #expect(over.json["isFull"] == false)
        _ = keeper.answered(over, ["disk": ["delayed": 0, "refused": 5]])
        _ = keeper.answered(keeper.question, ["disk": ["delayed": 0, "refused": 9]])
        #expect(keeper.bitten == [5])
    }
}
