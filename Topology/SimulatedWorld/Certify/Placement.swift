import Chaos
import Mesh

/// One fault at one exact place of a run: the run up to there is the run without it.
package struct Placement: Sendable, Hashable {
    /// What is hit.
    package enum Place: Sendable, Hashable {
        /// The attempt of that number, from 0, to get something over a hop of a link.
        case attempt(Int)
        /// A process at an instant, before or after what else happens then.
        case process(String, at: Instant, isAfter: Bool)
        /// What an outside party is asked at an instant.
        case request(String, at: Instant)
    }

    /// What is done.
    package enum Deed: String, Sendable, Hashable, CaseIterable {
        case drop, duplicate
        /// For longer than any timeout of the topology.
        case delay
        case crash
        /// For longer than any timeout of the topology.
        case pause
    }

    package var place: Place
    package var deed: Deed
    /// What it comes to, in words: `drop the delivery of stock.requested.v1 to inventory`.
    package var text: String
    /// Places that stand for the same thing about other subjects have the same kind.
    package var kind: String
    /// The subject that it is about; empty where it is about none.
    package var subject: String
    /// When it happens in the run that it was found in.
    package var time: Instant
}

/// Finds the places of a run at which faults can be put, while it runs.
final class PlaceSurvey {
    private struct Step {
        var process: String
        var before: Instant
        var after: Instant?
        var type: String
        var subject: String
    }

    private struct Commit: Hashable {
        var service: Int
        var partition: Int
        var epoch: UInt64
        var sequence: UInt64
    }

    private let layout: MeshLayout
    private var steps: [Step] = []
    private var open: [Commit: Int] = [:]
    private var names: [[UInt64]: (type: String, subject: String)] = [:]
    private(set) var requests: [(party: String, time: Instant)] = []
    private(set) var syncs: [(process: String, time: Instant)] = []

    init(layout: MeshLayout) {
        self.layout = layout
    }

    /// A service's process sends frames to the hub.
    func sent(by process: String, _ frames: [UInt8], now: Instant) {
        frames.withUnsafeBytes { raw in
            var offset = 0
            while offset + 4 < raw.count {
                let length = Int(
                    raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
                )
                let body = UnsafeRawBufferPointer(
                    rebasing: raw[(offset + 4)..<(offset + 4 + length)]
                )
                offset += 4 + length
                guard body.first == Frame.ToHub.commit.rawValue else { continue }
                var reader = WireReader(body, offset: 1)
                guard let view = try? CommitView(from: &reader) else { continue }
                self.commits(process, view, now)
            }
        }
    }

    private func commits(_ process: String, _ view: CommitView, _ now: Instant) {
        let name = process.split(separator: "-").dropLast().joined(separator: "-")
        guard let service = self.layout.serviceIndex(name) else { return }
        let commit = Commit(
            service: service,
            partition: view.partition,
            epoch: view.epoch,
            sequence: view.sequence
        )
        // A commit that is sent again is no step of its own.
        guard self.open[commit] == nil else { return }
        let event = view.acknowledged.first.flatMap { run in
            self.names[
                [UInt64(run.topic), UInt64(view.partition), run.offsets.lowerBound]
            ]
        }
        self.open[commit] = self.steps.count
        self.steps.append(
            Step(
                process: process,
                before: now,
                type: event?.type ?? "",
                subject: event?.subject ?? ""
            )
        )
    }

    /// A record has become durable.
    func durable(_ record: RecordView, now: Instant) {
        for event in record.events {
            let key = [UInt64(event.topic), UInt64(event.partition), event.offset]
            self.names[key] = (record.type(of: event), record.subject(of: event))
        }
        guard case .turn = record.body else { return }
        let commit = Commit(
            service: record.turn.service,
            partition: record.turn.partition,
            epoch: record.turn.epoch,
            sequence: record.turn.sequence
        )
        if let step = self.open[commit] { self.steps[step].after = now }
    }

    /// A process has made something durable.
    func synced(_ process: String, now: Instant) {
        if let last = self.syncs.last, last.process == process, last.time == now { return }
        self.syncs.append((process, now))
    }

    /// An outside party is asked.
    func asked(_ party: String, now: Instant) {
        self.requests.append((party, now))
    }

    // MARK: Results

    /// Everything that can be done to the run, in the order of time.
    func placements(_ attempts: [AttemptSurvey.Attempt]) -> [Placement] {
        var all: [Placement] = []
        for (index, attempt) in attempts.enumerated() {
            for deed in [Placement.Deed.drop, .duplicate, .delay] {
                all.append(Self.placement(of: attempt, index, deed))
            }
        }
        for step in self.steps {
            all += Self.placements(of: step)
        }
        for request in self.requests {
            for deed in [Placement.Deed.drop, .duplicate, .delay] {
                let text = "\(deed.rawValue) what \(request.party) is asked"
                all.append(
                    Placement(
                        place: .request(request.party, at: request.time),
                        deed: deed,
                        text: text,
                        kind: text,
                        subject: "",
                        time: request.time
                    )
                )
            }
        }
        for sync in self.syncs {
            for isAfter in [false, true] {
                let text = "crash \(sync.process) \(isAfter ? "after" : "before") it syncs"
                all.append(
                    Placement(
                        place: .process(sync.process, at: sync.time, isAfter: isAfter),
                        deed: .crash,
                        text: text,
                        kind: text,
                        subject: "",
                        time: sync.time
                    )
                )
            }
        }
        // Not stable by itself: what is at the same instant stays in the order of its finding.
        return all.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    private static func placement(
        of attempt: AttemptSurvey.Attempt,
        _ index: Int,
        _ deed: Placement.Deed
    ) -> Placement {
        let event = attempt.type.isEmpty ? "an event" : attempt.type
        let what =
            switch attempt.hop {
            case .publish: "\(event) from \(attempt.from) to the hub"
            case .publishAnswer: "the hub's answer to \(attempt.from) about \(event)"
            case .delivery: "\(event) from the hub to \(attempt.to)"
            case .commit: "\(attempt.to)'s commit of \(event)"
            case .commitAnswer: "the hub's answer to \(attempt.to)'s commit of \(event)"
            }
        return Placement(
            place: .attempt(index),
            deed: deed,
            text: "\(deed.rawValue) \(what), about \(attempt.subject)",
            kind: "\(deed.rawValue) \(what)",
            subject: attempt.subject,
            time: attempt.time
        )
    }

    private static func placements(of step: Step) -> [Placement] {
        let about = step.subject.isEmpty ? "" : ", about \(step.subject)"
        let turn = step.type.isEmpty ? "a timer's turn" : "its turn on \(step.type)"
        func placement(_ deed: Placement.Deed, _ at: Instant, _ isAfter: Bool) -> Placement {
            let when = isAfter ? "after" : "before"
            let text = "\(deed.rawValue) \(step.process) \(when) it commits \(turn)"
            return Placement(
                place: .process(step.process, at: at, isAfter: isAfter),
                deed: deed,
                text: text + about,
                kind: text,
                subject: step.subject,
                time: at
            )
        }
        var all = [placement(.crash, step.before, false), placement(.pause, step.before, false)]
        if let after = step.after { all.append(placement(.crash, after, true)) }
        return all
    }
}
