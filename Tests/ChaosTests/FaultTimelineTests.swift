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
