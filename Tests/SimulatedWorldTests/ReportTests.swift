import Chaos
import Mesh
import SimulatedWorld
import TestSupport
import Testing

@Suite struct `What a report tells of a simulated run` {
    private static func run(
        orders: Int = 40,
        faults: [Fault] = [],
        flaws: [String] = []
    ) throws -> (run: ScenarioRun, outcome: ScenarioOutcome) {
        var scenario = Scenario(topology: try shopTopology(), orders: orders, seed: 11)
        scenario.faults = faults
        scenario.flaws = flaws
        scenario.atLeast = .seconds(5)
        let run = ScenarioRun(scenario, listens: true)
        return (run, run.run())
    }

    @Test func `an event leaves when durable, arrives when handled, follows its cause`() throws {
        let (run, outcome) = try Self.run()
        #expect(outcome.hasPassed, "\(outcome.failure?.summary ?? "")")
        let report = run.report(outcome, name: "calm")
        #expect(report.outcome == .passed)
        let timeline = try #require(report.timeline)
        let names = timeline.lanes.map(\.name)
        #expect(names.first == "shoppers")
        #expect(names.suffix(3) == ["bank", "mail", "hub"])
        let placed = try #require(timeline.events.firstIndex { $0.type == "orders.placed.v1" })
        #expect(names[timeline.events[placed].lane] == "shoppers")
        let arrivals = timeline.arrivals.filter { $0.event == placed }
        #expect(Set(arrivals.map { names[$0.lane] }) == ["orders", "analytics"])
        let orders = try #require(arrivals.first { names[$0.lane] == "orders" })
        #expect(orders.time > timeline.events[placed].time)
        let asked = try #require(timeline.events.first { $0.cause == placed })
        #expect(asked.type == "stock.requested.v1")
        #expect(asked.time == orders.time, "a turn handles and emits at once")
        for event in timeline.events {
            guard let cause = event.cause else { continue }
            #expect(timeline.events[cause].time <= event.time)
        }
    }

    @Test func `a run at rest has no lag, no open order, and nothing that waits`() throws {
        let (run, outcome) = try Self.run()
        let timeline = try #require(run.report(outcome, name: "calm").timeline)
        #expect(timeline.orders.count == 40)
        #expect(timeline.orders.allSatisfy { $0.end != .open && $0.ended != nil })
        #expect(timeline.arrivals.allSatisfy { $0.kind == .handled })
        #expect(timeline.lag.count == 5)
        for lag in timeline.lag {
            #expect(lag.most.last == 0)
            #expect(lag.most.contains { $0 > 0 }, "something waited for it once")
        }
        let captures = timeline.calls.filter { $0.text.hasPrefix("capture ") }
        #expect(captures.count == timeline.orders.filter { $0.end == .confirmed }.count)
        for call in timeline.calls {
            #expect(call.from != nil, "the links tell who calls")
            #expect(timeline.orders.contains { $0.journey == call.journey }, "\(call.text)")
        }
    }

    @Test func `faults stand where and when they were, with what they did`() throws {
        var cut = Fault(.cut, "orders", .at(.milliseconds(300)), for: .milliseconds(700))
        cut.to = "inventory"
        let late = Fault(
            .kill,
            "payments-1",
            .after(Fault.EventName(number: 9_999, type: "orders.placed.v1", source: "x"), .zero),
            for: .seconds(1)
        )
        let (run, outcome) = try Self.run(faults: [cut, late])
        let bars = run.report(outcome, name: "cut", withTimeline: false).faults
        #expect(bars.map(\.lanes) == [["orders", "inventory"], ["payments"]])
        #expect(bars[0].begin == .milliseconds(300))
        // It lasts from when the hub has armed it.
        let end = try #require(bars[0].end)
        #expect(end > .seconds(1) && end < .milliseconds(1010))
        #expect(bars[0].bitten > 0)
        #expect(bars[1].begin == nil, "it never began")
        #expect(bars[1].bitten == 0)
    }

    @Test func `a failure comes with its story, its journey and what was left waiting`() throws {
        let fault = Fault(.timeoutAfter, "bank", .at(.zero), for: .seconds(2))
        let (run, outcome) = try Self.run(faults: [fault], flaws: ["charge-without-key"])
        let report = run.report(outcome, name: "bug", replay: "squall replay x")
        #expect(report.outcome == .failed)
        #expect(report.failure?.invariant == outcome.failure?.invariant)
        #expect(report.replay == "squall replay x")
        let timeline = try #require(report.timeline)
        #expect(timeline.orders.contains { $0.journey == report.journey })
        #expect(report.storyTitle == "What happened to \(report.journey):")
        #expect(report.story.contains { $0.contains("has the money of \(report.journey)") })
        let calls = timeline.calls.filter { $0.journey == report.journey }
        #expect(calls.contains { $0.text.hasPrefix("capture ") }, "the charge without its key")
    }

    @Test(arguments: [[], ["charge-without-key"]])
    func `records taken out of a log are judged like those that lie in it`(
        _ flaws: [String]
    ) throws {
        let fault = Fault(.timeoutAfter, "bank", .at(.zero), for: .seconds(2))
        let (run, outcome) = try Self.run(faults: [fault], flaws: flaws)
        let judge = Judge(layout: run.layout)
        for record in run.records() { judge.observe(record) }
        #expect(judge.finish(ledgers: try run.ledgers()) == outcome.verdict)
    }

    @Test func `too many events leave whole journeys out, never the one asked for`() throws {
        let (run, outcome) = try Self.run()
        let timeline = { (eventsMax: Int) throws -> ReportTimeline in
            var builder = ReportTimelineBuilder(
                topology: run.scenario.topology,
                began: run.began,
                eventsMax: eventsMax
            )
            for record in run.records() { builder.observe(record) }
            builder.observe(try run.ledgers())
            return builder.finished(length: outcome.elapsed, keeping: "order-33")
        }
        let all = try timeline(1_000_000)
        let some = try timeline(all.events.count / 7)
        #expect(all.sampling == 1)
        #expect(some.sampling == 8)
        #expect(some.eventCount == all.events.count)
        #expect(some.orders == all.orders)
        #expect(some.lag == all.lag)
        #expect(some.events.count < all.events.count / 2)
        let counts = { (timeline: ReportTimeline) in
            Dictionary(grouping: timeline.events, by: \.journey).mapValues(\.count)
        }
        let (few, many) = (counts(some), counts(all))
        #expect(few["order-33"] == many["order-33"])
        for (journey, count) in few { #expect(count == many[journey], "\(journey) is cut") }
        for event in some.events {
            guard let cause = event.cause else { continue }
            #expect(some.events[cause].journey == event.journey)
        }
        for arrival in some.arrivals { #expect(some.events.indices.contains(arrival.event)) }
    }

    // MARK: The page

    /// The data that is embedded in a page, read as a browser does.
    private func data(of page: String) throws -> JSONValue {
        let mark = "id=\"report-data\">"
        let start = try #require(page.firstRange(of: mark)).upperBound
        let end = try #require(page[start...].firstRange(of: "</script")).lowerBound
        return try JSONValue(parsing: String(page[start..<end]))
    }

    @Test func `hostile text stays text, in the words and in the data`() throws {
        let hostile = "</script><script>alert(1)</script>\u{2028}&\"'\u{1}\u{7F}"
        let (run, outcome) = try Self.run(orders: 3)
        var report = run.report(outcome, name: hostile, replay: hostile)
        report.outcome = .failed
        report.headline = hostile
        report.failure = ScenarioOutcome.Failure(
            invariant: hostile,
            summary: hostile,
            witness: [Witness(hostile)]
        )
        report.storyTitle = hostile
        report.story = [hostile]
        report.faults = [
            ReportRun.FaultBar(
                text: hostile,
                lanes: ["orders"],
                begin: .seconds(1),
                end: nil,
                bitten: 1
            )
        ]
        report.timeline?.events[0].subject = hostile
        report.timeline?.lanes[0].name = hostile
        let page = Report.html(of: [report])
        #expect(page.ranges(of: "<script").count == 2)
        #expect(page.ranges(of: "</script").count == 2)
        #expect(!page.unicodeScalars.contains { $0.value == 1 || $0.value == 0x7F })
        #expect(page.contains("&lt;script&gt;alert(1)"))
        let shown = try self.data(of: page)["runs"]?.array?.first
        #expect(shown?["subjects"]?.array?.first?.string == hostile)
        #expect(shown?["faults"]?.array?.first?["text"]?.string == hostile)
        #expect(shown?["lanes"]?.array?.first?.array?.first?.string == hostile)
        #expect(shown?["events"]?["time"]?.array?.count == report.timeline?.events.count)
    }
}
