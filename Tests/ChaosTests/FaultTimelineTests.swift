import Chaos
import Mesh
import Testing

private func kill(_ trigger: Fault.Trigger, for duration: Duration = .zero) -> Fault {
    Fault(.kill, "hub", trigger, for: duration)
}

private func third(_ plus: Duration = .zero) -> Fault.Trigger {
    .after(Fault.EventName(number: 3, type: "a.v1", source: "orders"), plus)
}

private let second = Instant.zero + .seconds(1)

@Test func `what is due at one instant comes in one step, ends before beginnings`() {
    var timeline = FaultTimeline(
        faults: [
            kill(.at(.seconds(2)), for: .seconds(1)), kill(.at(.seconds(1)), for: .seconds(1)),
            kill(.at(.seconds(2)), for: .seconds(5)),
        ],
        operations: [Operation(.roll, "orders", .at(.seconds(2)))]
    )
    #expect(timeline.started(now: .zero) == [])
    #expect(timeline.nextDue == second)
    #expect(timeline.timePassed(now: second) == [.begin([1])])
    #expect(!timeline.isHealed)
    #expect(
        timeline.timePassed(now: .zero + .seconds(2)) == [.end([1]), .begin([0, 2]), .perform(0)]
    )
    #expect(timeline.hasBegunAll && !timeline.isHealed)
    #expect(timeline.timePassed(now: .zero + .seconds(60)) == [.end([0]), .end([2])])
    #expect(timeline.isHealed && timeline.nextDue == nil)
}

@Test func `a fault after the third event begins with that event, and not with others`() {
    var timeline = FaultTimeline(faults: [kill(third()), kill(third(.seconds(1)))])
    _ = timeline.started(now: .zero)
    for (type, source) in [
        ("a.v1", "orders"), ("b.v1", "orders"), ("a.v1", "bank"), ("a.v1", "orders"),
    ] {
        #expect(timeline.happened(type, from: source, now: second) == [])
    }
    // What nobody has a time for may never come.
    #expect(timeline.hasBegunAll && timeline.awaitsEvents)
    #expect(timeline.happened("a.v1", from: "orders", now: second) == [.begin([0])])
    #expect(!timeline.hasBegunAll && !timeline.awaitsEvents)
    #expect(timeline.happened("a.v1", from: "orders", now: second) == [])
    #expect(timeline.nextDue == second + .seconds(1))
    #expect(timeline.timePassed(now: second + .seconds(1)) == [.begin([1])])
    #expect(timeline.hasBegunAll && timeline.isHealed)
}

@Test func `a fault that begins late lasts as long as was said`() {
    var timeline = FaultTimeline(faults: [kill(.at(.seconds(1)), for: .seconds(1))])
    _ = timeline.started(now: .zero)
    #expect(timeline.timePassed(now: .zero + .seconds(3)) == [.begin([0])])
    #expect(timeline.nextDue == .zero + .seconds(4))
}

@Test func `a fault at once begins with the run`() {
    var timeline = FaultTimeline(faults: [kill(.at(.zero)), kill(.at(.zero))])
    #expect(!timeline.hasBegunAll)
    #expect(timeline.started(now: second) == [.begin([0, 1])])
    #expect(timeline.hasBegunAll)
}

private func cut(_ to: String, for duration: Duration) -> Fault {
    Fault(.cut, "orders", to: to, .at(.zero), for: duration)
}

@Test func `the time of a fault on a link counts from when the hub says that it is armed`() {
    var timeline = FaultTimeline(faults: [cut("payments", for: .seconds(1))])
    #expect(timeline.started(now: .zero) == [.begin([0])])
    timeline.armed([0], now: .zero + .seconds(3))
    timeline.armed([0], now: .zero + .milliseconds(3500))
    #expect(timeline.nextDue == .zero + .seconds(4))
    #expect(timeline.timePassed(now: .zero + .seconds(4)) == [.end([0])])
    #expect(timeline.span(of: 0).ended == .zero + .seconds(4))
}

@Test func `a fault that nobody ever arms ends all the same`() throws {
    var timeline = FaultTimeline(faults: [cut("payments", for: .seconds(1))])
    _ = timeline.started(now: .zero)
    let due = try #require(timeline.nextDue)
    #expect(timeline.timePassed(now: due) == [.end([0])])
    #expect(timeline.isHealed && timeline.nextDue == nil)
}

@Test func `a fault goes on until its parts together have bitten as often as it says`() throws {
    var faults = [
        cut("payments", for: .milliseconds(10)), cut("inventory", for: .milliseconds(10)),
    ]
    faults.append(cut("notifications", for: .milliseconds(10)))
    for index in faults.indices { faults[index].untilBitten = 2 }
    (faults[0].part, faults[1].part) = (0, 0)
    var timeline = FaultTimeline(faults: faults)
    _ = timeline.started(now: .zero)
    timeline.armed([0, 1, 2], now: .zero)
    let due = try #require(timeline.nextDue)
    #expect(timeline.timePassed(now: due) { [1, 0, 1] } == [])
    #expect(timeline.waitingForBites(now: due) == [0, 1, 2])
    let next = try #require(timeline.nextDue)
    #expect(next > due && next < due + .milliseconds(100))
    #expect(timeline.timePassed(now: next) { [1, 1, 1] } == [.end([0, 1])])
    #expect(timeline.waitingForBites(now: next) == [2])
    #expect(!timeline.isHealed)
}

@Test func `a fault that bites nothing ends when its longest time is over`() throws {
    var patient = cut("payments", for: .milliseconds(10))
    patient.untilBitten = 1
    var hasty = patient
    hasty.atMost = .milliseconds(50)
    var timeline = FaultTimeline(faults: [patient, hasty])
    _ = timeline.started(now: .zero)
    timeline.armed([0, 1], now: .zero)
    var ends: [Int: Duration] = [:]
    while let due = timeline.nextDue {
        for case .end(let indices) in timeline.timePassed(now: due) {
            for index in indices { ends[index] = due - .zero }
        }
    }
    #expect(ends == [0: .milliseconds(10_010), 1: .milliseconds(50)])
}
