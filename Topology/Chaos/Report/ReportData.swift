import Mesh

/// The data that the page's script draws: columns instead of objects, and times in whole
/// microseconds since the start of the run.
enum ReportData {
    static func json(of runs: [ReportRun]) -> JSONValue {
        .object([
            .init("runs", .array(runs.map { $0.timeline == nil ? .null : self.run($0) }))
        ])
    }

    /// What came of a run, without its events.
    static func result(_ run: ReportRun) -> JSONValue {
        let failure = run.failure.map { failure -> JSONValue in
            [
                "invariant": .string(failure.invariant), "summary": .string(failure.summary),
                "witness": .array(failure.witness.map(\.json)),
            ]
        }
        let faults = run.faults.map { fault -> JSONValue in
            [
                "fault": .string(fault.text), "bitten": .int(Int64(fault.bitten)),
                "beginNanoseconds": fault.begin.map { .int($0.inNanoseconds) } ?? .null,
                "endNanoseconds": fault.end.map { .int($0.inNanoseconds) } ?? .null,
            ]
        }
        return [
            "scenario": .string(run.name), "world": .string(run.world.rawValue),
            "seed": run.seed.map { .string(String($0)) } ?? .null,
            "outcome": .string(run.outcome.rawValue), "headline": .string(run.headline),
            "failure": failure ?? .null, "faults": .array(faults),
            "replay": run.replay.map { .string($0) } ?? .null,
            "runHash": run.hash.map { .string(Hex.text($0)) } ?? .null,
            "elapsedNanoseconds": .int(run.elapsed.inNanoseconds),
            "tookNanoseconds": run.took.map { .int($0.inNanoseconds) } ?? .null,
        ]
    }

    private static func run(_ run: ReportRun) -> JSONValue {
        guard let timeline = run.timeline else { return .null }
        let witnesses = run.failure?.witness.compactMap(\.event) ?? []
        var types = Numbering()
        var journeys = Numbering()
        var topics = Numbering()
        var subjects = Numbering()
        let events = timeline.events
        let eventColumns: JSONValue = [
            "id": .array(events.map { .string($0.id.description) }),
            "type": .array(events.map { types.number(of: $0.type) }),
            "subject": .array(events.map { subjects.number(of: $0.subject) }),
            "journey": .array(events.map { journeys.number(of: $0.journey) }),
            "lane": self.column(events) { $0.lane },
            "time": self.times(events) { $0.time },
            "cause": self.column(events) { $0.cause ?? -1 },
            "topic": .array(events.map { topics.number(of: $0.topic) }),
            "partition": self.column(events) { $0.partition },
            "offset": self.column(events) { Int(clamping: $0.offset) },
        ]
        let arrivalColumns: JSONValue = [
            "event": self.column(timeline.arrivals) { $0.event },
            "lane": self.column(timeline.arrivals) { $0.lane },
            "time": self.times(timeline.arrivals) { $0.time },
            "kind": self.column(timeline.arrivals) { $0.kind.rawValue },
        ]
        let callColumns: JSONValue = [
            "time": self.times(timeline.calls) { $0.time },
            "from": self.column(timeline.calls) { $0.from ?? -1 },
            "lane": self.column(timeline.calls) { $0.lane },
            "text": .array(timeline.calls.map { .string($0.text) }),
            "journey": .array(timeline.calls.map { journeys.number(of: $0.journey) }),
        ]
        let orderColumns: JSONValue = [
            "journey": .array(timeline.orders.map { journeys.number(of: $0.journey) }),
            "placed": self.times(timeline.orders) { $0.placed },
            "ended": self.times(timeline.orders) { $0.ended ?? .nanoseconds(-1000) },
            "end": self.column(timeline.orders) { $0.end.rawValue },
        ]
        return [
            "outcome": .string(run.outcome.rawValue),
            "journey": .string(run.journey),
            "witness": .array(witnesses.map { .string($0.description) }),
            "length": self.time(timeline.length),
            "lanes": .array(
                timeline.lanes.map { [.string($0.name), .string($0.kind.rawValue)] }
            ),
            "events": eventColumns, "arrivals": arrivalColumns, "calls": callColumns,
            "orders": orderColumns,
            "types": types.names, "journeys": journeys.names, "topics": topics.names,
            "subjects": subjects.names,
            "notes": .array(timeline.notes.map(self.note)),
            "faults": .array(run.faults.map { self.fault($0, timeline) }),
            "lagStep": self.time(timeline.lagStep),
            "lag": .array(
                timeline.lag.map {
                    ["lane": .int(Int64($0.lane)), "most": self.column($0.most) { $0 }]
                }
            ),
            "eventCount": .int(Int64(timeline.eventCount)),
            "sampling": .int(Int64(timeline.sampling)),
        ]
    }

    private static func note(_ note: ReportTimeline.Note) -> JSONValue {
        [self.time(note.time), .int(Int64(note.lane ?? -1)), .string(note.text)]
    }

    private static func fault(_ fault: ReportRun.FaultBar, _ timeline: ReportTimeline) -> JSONValue
    {
        let lanes = fault.lanes.compactMap { name in
            timeline.lanes.firstIndex { $0.name == name }
        }
        return [
            "text": .string(fault.text), "label": .string(fault.label),
            "lanes": self.column(lanes) { $0 },
            "begin": fault.begin.map(self.time) ?? .null,
            "end": fault.end.map(self.time) ?? .null,
            "bitten": .int(Int64(fault.bitten)),
        ]
    }

    private static func time(_ time: Duration) -> JSONValue { .int(time.inNanoseconds / 1000) }

    private static func column<T>(_ values: [T], _ number: (T) -> Int) -> JSONValue {
        .array(values.map { .int(Int64(number($0))) })
    }

    private static func times<T>(_ values: [T], _ time: (T) -> Duration) -> JSONValue {
        .array(values.map { self.time(time($0)) })
    }

    /// Numbers texts in the order of their first use.
    private struct Numbering {
        private var numbers: [String: Int] = [:]
        private var texts: [JSONValue] = []

        var names: JSONValue { .array(self.texts) }

        mutating func number(of text: String) -> JSONValue {
            if let number = self.numbers[text] { return .int(Int64(number)) }
            self.numbers[text] = self.texts.count
            self.texts.append(.string(text))
            return .int(Int64(self.texts.count - 1))
        }
    }
}
