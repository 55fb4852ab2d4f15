import Chaos
import Mesh
import OutsideParties
import ProbeService
import ServiceKit
import Testing

/// What a host promises to a service: each promise tried in both worlds by the same test.
///
/// One after the other: each of the real ones starts processes of its own.
@Suite(.serialized) struct `A host keeps its promises` {
    // MARK: Turns

    @Test(arguments: World.allCases)
    func `what a turn does is one record with what it acknowledges`(world: World) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .schedule, 5, name: "bell"))
        try trial.answers(to: "ann", count: 2)
        let turns = try trial.turns(about: "ann")
        #expect(turns.count == 1)
        #expect(turns.first?.acknowledged.count == 1)
        #expect(turns.first?.events.count == 1)
        #expect(turns.first?.changes == [Counted("ann").encoded()])
        #expect(turns.first?.timersSet.map(\.name) == ["bell"])
    }

    @Test(arguments: World.allCases)
    func `nothing of a decision that throws is left`(world: World) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .failInside, 2))
        let answers = try trial.answers(to: "ann", count: 1)
        #expect(answers.map(\.content.attempt) == [3])
        // Had an earlier attempt left its change in memory, this would not be the first.
        #expect(answers.map(\.content.before) == [0])
        let turns = try trial.turns(about: "ann")
        #expect(turns.map(\.changes.count) == [1])
        // The third attempt sets the timer and cancels it.
        try trial.publish(Asked("ann", 2, .count))
        try trial.answers(to: "ann", count: 3)
        #expect(try trial.answers(to: "ann").allSatisfy { $0.content.text != "never" })
    }

    @Test(arguments: World.allCases)
    func `a turn without a decision acknowledges its event and does nothing else`(
        world: World
    ) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .nothing))
        try trial.publish(NotForProbe("ann"))
        try trial.publish(Asked("ann", 2, .count))
        let answers = try trial.answers(to: "ann", count: 2)
        #expect(answers.map(\.content.attempt) == [1, 1])
        let turns = try trial.turns(about: "ann")
        #expect(turns.flatMap(\.acknowledged).count == 3)
        #expect(turns.flatMap(\.events).count == 2)
        #expect(turns.flatMap(\.changes).count == 1)
    }

    @Test(arguments: World.allCases)
    func `an emitted event has an id of its cause and its place, also when it is repeated`(
        world: World
    ) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .count))
        try trial.publish(Asked("bob", 1, .fail, 2))
        let ann = try trial.answers(to: "ann", count: 2)
        let bob = try trial.answers(to: "bob", count: 1)
        let asked = try #require(try trial.published("ann").first)
        let askedTwice = try #require(try trial.published("bob").first)
        #expect(ann.map(\.event.id) == (0...1).map { asked.id.derived(by: "probe", index: $0) })
        #expect(bob.map(\.event.id) == [askedTwice.id.derived(by: "probe", index: 0)])
        for answer in ann {
            #expect(answer.event.source == "probe")
            #expect(answer.event.causation == asked.id)
            #expect(answer.event.trace == asked.trace)
            #expect(answer.event.correlation == asked.correlation)
        }
    }

    @Test(arguments: World.allCases)
    func `a decision sees every change of the decisions before it`(world: World) throws {
        let trial = try trial(in: world)
        // Some of them decide later than they began.
        for number in 0..<12 {
            try trial.publish(AskedToWait("wait-\(number)", 1, .sleep, 3 * (number % 4)))
            try trial.publish(Asked("ask-\(number)", 1, .fail))
        }
        let names = (0..<12).flatMap { ["wait-\($0)", "ask-\($0)"] }
        for name in names { try trial.answers(to: name, count: 1) }
        var seen: [Int: [Int]] = [:]
        for event in try trial.records().flatMap(\.events).map(\.event)
        where event.type == Answered.type {
            let before = try Answered(decoding: event.data).beforeInPartition
            seen[trial.partition(of: event.subject), default: []].append(before)
        }
        #expect(seen.values.map(\.count).reduce(0, +) == 24)
        for counts in seen.values { #expect(counts == Array(0..<counts.count)) }
    }

    @Test(arguments: World.allCases)
    func `what is emitted where the topology does not allow it is never stored, nor forever tried`(
        world: World
    ) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .emitElsewhere))
        try trial.publish(Asked("ann", 2, .count))
        let answers = try trial.answers(to: "ann", count: 2)
        // Nothing of the refused turn is left, its change neither.
        #expect(answers.map(\.content.before) == [0, 0])
        #expect(try trial.audit().contains { $0["refused"]?.string == "undeclared" })
        let letters = try trial.deadLetters()
        #expect(letters.map(\.attempts) == [4])
        #expect(letters.first?.error.contains("'elsewhere'") == true)
        let events = try trial.records().flatMap(\.events).map(\.event)
        #expect(!events.contains { $0.type == Undeclared.type })
    }

    // MARK: Order and redelivery

    @Test(arguments: World.allCases)
    func `events of a subject are handled in their order, whatever fails or takes time`(
        world: World
    ) throws {
        let trial = try trial(in: world)
        let names = ["ann", "bob", "cy"]
        for number in 0..<8 {
            for (index, name) in names.enumerated() {
                if number % 3 == index {
                    try trial.publish(AskedToWait(name, number, .sleep, 4))
                } else {
                    try trial.publish(Asked(name, number, .fail, number % 2))
                }
            }
        }
        for name in names {
            let answers = try trial.answers(to: name, count: 8)
            #expect(answers.map(\.content.number) == Array(0..<8))
            #expect(answers.map(\.content.before) == Array(0..<8))
        }
    }

    @Test(arguments: World.allCases)
    func `a handler that throws gets its event again, with the number of the attempt`(
        world: World
    ) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .fail, 3))
        #expect(try trial.answers(to: "ann", count: 1).map(\.content.attempt) == [4])
        #expect(try trial.deadLetters().isEmpty)
    }

    @Test(arguments: World.allCases)
    func `an event that fails as often as the limit allows is a dead letter, and others go on`(
        world: World
    ) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .fail, 1000))
        try trial.publish(Asked("ann", 2, .count))
        try trial.answers(to: "ann", count: 2)
        let letters = try trial.deadLetters()
        #expect(letters.map(\.attempts) == [4])
        #expect(letters.first?.error == "unwilling in attempt 4")
        #expect(letters.first?.event == (try trial.published("ann").first))
    }

    // MARK: State

    @Test(arguments: World.allCases)
    func `a killed instance rebuilds its state from the journal`(world: World) throws {
        let trial = try trial(in: world)
        for number in 0..<3 { try trial.publish(Asked("ann", number, .count)) }
        try trial.answers(to: "ann", count: 6)
        #expect(try trial.turns(about: "ann").allSatisfy { $0.snapshot == nil })
        try trial.restart("probe-1")
        try trial.publish(Asked("ann", 3, .count))
        #expect(try trial.answers(to: "ann", count: 8).last?.content.before == 3)
    }

    @Test(arguments: World.allCases)
    func `a killed instance rebuilds its state from a snapshot and what came after it`(
        world: World
    ) throws {
        let trial = try trial(in: world)
        for number in 0..<7 { try trial.publish(Asked("ann", number, .count)) }
        try trial.answers(to: "ann", count: 14)
        let snapshots = try trial.turns(about: "ann").filter { $0.snapshot != nil }
        #expect(snapshots.compactMap(\.snapshot) == [Array(#"{"ann":5}"#.utf8)])
        try trial.restart("probe-1")
        try trial.publish(Asked("ann", 7, .count))
        #expect(try trial.answers(to: "ann", count: 16).last?.content.before == 7)
    }

    @Test(arguments: World.allCases)
    func `each event counts once, whoever is killed meanwhile`(world: World) throws {
        let trial = try trial(in: world)
        for round in 0..<4 {
            for number in 0..<10 {
                try trial.publish(Asked("ann", 10 * round + number, .fail, number % 2))
            }
            try trial.restart(round % 2 == 0 ? "probe-1" : "hub")
            try trial.answers(to: "ann", count: 10 * round + 5)
        }
        let answers = try trial.answers(to: "ann", count: 40)
        #expect(answers.map(\.content.number) == Array(0..<40))
        #expect(answers.map(\.content.before) == Array(0..<40))
        #expect(Set(answers.map(\.event.id)).count == 40)
    }

    @Test(arguments: World.allCases)
    func `an owner that was paused and replaced commits nothing any more`(world: World) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 0, .fail))
        try trial.publish(Asked("bob", 0, .fail))
        try trial.answers(to: "ann", count: 1)
        try trial.pause("probe-1", for: .milliseconds(2_300))
        // These wait in the paused process, which handles them when it goes on.
        let names = ["ann", "bob", "cy", "dee"]
        for name in names { try trial.publish(Asked(name, 1, .fail)) }
        try trial.wait(for: "the events") { try trial.published("dee").count == 1 }
        try trial.start("probe-2")
        try trial.wait(for: "a stale commit") {
            try trial.audit().contains { $0["refused"]?.string == "staleEpoch" }
        }
        for name in names {
            let ones = try trial.answers(to: name).filter { $0.content.number == 1 }
            #expect(ones.count <= 1)
            try trial.answers(to: name, count: name == "ann" || name == "bob" ? 2 : 1)
        }
    }

    // MARK: Timers

    @Test(arguments: World.allCases)
    func `a timer rings once and never early, whoever is killed meanwhile`(world: World) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .schedule, 120, name: "bell"))
        try trial.answers(to: "ann", count: 1)
        try trial.restart("probe-1")
        try trial.restart("hub")
        try trial.answers(to: "ann", count: 2)
        try trial.restart("probe-1")
        try trial.publish(Asked("ann", 2, .fail))
        let answers = try trial.answers(to: "ann", count: 3)
        #expect(answers.map(\.content.text) == ["", "bell", ""])
        let timer = try #require(try trial.turns(about: "ann").first?.timersSet.first)
        let rung = try trial.timersFired()
        #expect(rung.map(\.name) == ["bell"])
        #expect(rung.allSatisfy { $0.time >= timer.due })
        #expect(timer.due - answers[0].event.time >= .milliseconds(120))
    }

    @Test(arguments: World.allCases)
    func `a timer that is set again replaces the first, and a cancelled one never rings`(
        world: World
    ) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .schedule, 60_000, name: "bell"))
        try trial.publish(Asked("ann", 2, .schedule, 30, name: "bell"))
        try trial.publish(Asked("ann", 3, .schedule, 40, name: "horn"))
        try trial.publish(Asked("ann", 4, .cancel, name: "horn"))
        try trial.publish(Asked("ann", 5, .schedule, 80, name: "last"))
        let answers = try trial.answers(to: "ann", count: 6)
        #expect(answers.map(\.content.text).filter { !$0.isEmpty } == ["bell", "last"])
        #expect(try trial.timersFired().map(\.name) == ["bell", "last"])
    }

    // MARK: What the host gives

    @Test(arguments: World.allCases)
    func `an outside party is asked under a key, and does it once however often that is`(
        world: World
    ) throws {
        let trial = try trial(in: world)
        try trial.publish(AskedToWait("ann", 1, .charge, 2))
        let answers = try trial.answers(to: "ann", count: 1)
        #expect(answers.map(\.content.attempt) == [3])
        #expect(answers.map(\.content.text) == ["captured"])
        #expect(try trial.bank().entries.map(\.key) == ["ann"])
        try trial.restart("bank")
        try trial.restart("probe-1")
        try trial.publish(AskedToWait("ann", 2, .charge))
        #expect(try trial.answers(to: "ann", count: 2).last?.content.text == "captured")
        #expect(try trial.bank().entries.map(\.key) == ["ann"])
    }

    @Test(arguments: World.allCases)
    func `waiting takes at least as long as it should`(world: World) throws {
        let trial = try trial(in: world)
        try trial.publish(AskedToWait("ann", 1, .sleep, 25))
        let text = try #require(try trial.answers(to: "ann", count: 1).first?.content.text)
        #expect(try #require(Int(text)) >= 25_000_000)
    }

    @Test(arguments: World.allCases)
    func `a host says where its service is, and gives it its settings`(world: World) throws {
        let trial = try trial(in: world)
        for name in ["ann", "bob", "cy"] {
            try trial.publish(Asked(name, 1, .introduce))
            let text = try trial.answers(to: name, count: 1).first?.content.text
            #expect(text == #"probe \#(trial.partition(of: name)) 2 {"greeting":"hello"}"#)
        }
    }

    @Test(arguments: World.allCases)
    func `what a service logs is in its log, with its partition`(world: World) throws {
        let trial = try trial(in: world)
        try trial.publish(Asked("ann", 1, .log, name: "the kettle boils"))
        let line = "[\(trial.partition(of: "ann"))] the kettle boils"
        try trial.wait(for: "a line in the log") {
            try trial.logged().contains { $0.level == .warning && $0.text.hasSuffix(line) }
        }
    }
}

extension Trial {
    /// What the probe gave up.
    fileprivate func deadLetters() throws -> [DeadLetter] {
        try self.records().compactMap { record in
            if case .deadLettered(let letter) = record.body { letter } else { nil }
        }
    }

    /// The timers that came due, and when.
    fileprivate func timersFired() throws -> [(name: String, time: Instant)] {
        try self.records().compactMap { record in
            guard case .timerFired(_, _, let name, _) = record.body else { return nil }
            return (name, record.time)
        }
    }
}
