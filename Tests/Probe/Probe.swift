import Events
import Mesh
import ServiceKit

/// A service that does what it is asked to, so that a test sees what its host does with that.
package actor Probe: Service {
    package static let name = "probe"
    package static let snapshotInterval = 5
    package static let consumes: [Subscription<Probe>] = [
        .on(Asked.self) { try $0.asked($1, $2) },
        .on(AskedToWait.self) { try await $0.askedToWait($1, $2) },
        .on(Rang.self) { $0.rang($1, $2) },
    ]

    package nonisolated let host: any Host
    private var counts: [String: Int] = [:]
    private var total = 0

    package init(host: any Host) { self.host = host }

    /// Why an attempt failed, as it was asked to.
    private struct Unwilling: Error, CustomStringConvertible {
        var attempt: Int
        var description: String { "unwilling in attempt \(self.attempt)" }
    }

    private func asked(_ event: Asked, _ turn: Turn<Probe>) throws {
        switch event.deed {
        case .count:
            turn.decide {
                self.count(event, turn)
                self.answer(event.who, event.number, turn, "again")
            }
        case .fail:
            guard turn.attempt > event.amount else { throw Unwilling(attempt: turn.attempt) }
            turn.decide { self.count(event, turn) }
        case .failInside:
            try turn.decide {
                self.count(event, turn)
                turn.schedule(Rang(event.who, name: "never"), after: .zero, name: "never")
                guard turn.attempt > event.amount else { throw Unwilling(attempt: turn.attempt) }
                turn.cancel(timer: "never")
            }
        case .nothing: break
        case .schedule:
            turn.decide {
                self.count(event, turn)
                turn.schedule(
                    Rang(event.who, name: event.name),
                    after: .milliseconds(event.amount),
                    name: event.name
                )
            }
        case .cancel: turn.decide { turn.cancel(timer: event.name) }
        case .emitElsewhere:
            turn.decide {
                self.count(event, turn)
                turn.emit(Undeclared(event.who))
            }
        case .introduce:
            let host = self.host
            turn.decide {
                self.answer(
                    event.who,
                    event.number,
                    turn,
                    "\(host.service) \(host.partition) \(host.partitions) \(host.settings.text)"
                )
            }
        case .log: self.host.log(.warning, event.name)
        }
    }

    private func askedToWait(_ event: AskedToWait, _ turn: Turn<Probe>) async throws {
        var text = ""
        switch event.deed {
        case .charge:
            let bank = turn.outside(Bank.self)
            text = "\(try await bank.charge(Money(cents: 1), key: event.who).outcome)"
            guard turn.attempt > event.amount else { throw Unwilling(attempt: turn.attempt) }
        case .sleep:
            let before = self.host.now()
            try await self.host.sleep(for: .milliseconds(event.amount))
            text = "\((self.host.now() - before).inNanoseconds)"
        }
        turn.decide {
            turn.record(Counted(event.who))
            self.answer(event.who, event.number, turn, text)
        }
    }

    private func rang(_ event: Rang, _ turn: Turn<Probe>) {
        turn.decide { self.answer(event.who, 0, turn, event.name) }
    }

    private func count(_ event: Asked, _ turn: Turn<Probe>) {
        turn.record(Counted(event.who))
        self.answer(event.who, event.number, turn, "")
    }

    private func answer(_ who: String, _ number: Int, _ turn: Turn<Probe>, _ text: String) {
        var answer = Answered()
        answer.who = who
        answer.number = number
        answer.attempt = turn.attempt
        answer.before = self.counts[who] ?? 0
        answer.beforeInPartition = self.total
        answer.text = text
        turn.emit(answer)
    }

    package func apply(_ change: Counted) {
        self.counts[change.who, default: 0] += 1
        self.total += 1
    }

    package func snapshot() -> [UInt8] {
        let members = self.counts.sorted { $0.key < $1.key }
            .map { JSONValue.Member($0.key, .int(Int64($0.value))) }
        return Array(JSONValue.object(members).text.utf8)
    }

    package func restore(from snapshot: [UInt8]) throws {
        self.counts = [:]
        for member in try JSONValue(parsingUTF8: snapshot).object ?? [] {
            self.counts[member.name] = Int(member.value.int ?? 0)
        }
        self.total = self.counts.values.reduce(0, +)
    }
}
