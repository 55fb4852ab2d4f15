import Mesh

/// No service gave up an event for good, but for those that nobody can read: these are given up
/// by somebody.
package final class NoDeadLetters: Invariant {
    package let name = "no-dead-letters"
    package let promise = "nothing is left as a dead letter but what nobody can read"
    package let hears: Hearing = .records

    private struct Letter {
        var service: Int
        var number: UInt64
        var witness: Witness
    }

    private let layout: MeshLayout
    private var letters: [Letter] = []
    /// What was published for nobody to read and no service has given up.
    private var poison: [EventID: Witness] = [:]
    private var poisonCount = 0
    private var redriven = 0

    package init(layout: MeshLayout) {
        self.layout = layout
    }

    package func recorded(_ record: RecordView) -> Finding? {
        switch record.body {
        case .published:
            for event in record.events
            where record.isCorrelation(PoisonEvent.correlation, of: event) {
                self.published(poison: event, record)
            }

        case .deadLettered(let letter) where letter.event.correlation == PoisonEvent.correlation:
            self.poison[letter.event.id] = nil

        case .deadLettered(let letter):
            let known = self.layout.services.indices.contains(letter.service)
            let service = known ? self.layout.services[letter.service].name : "a service"
            let what = "\(letter.event.type) of \(letter.event.subject)"
            let witness = Witness(
                "\(service) gave up \(what) after \(counted(letter.attempts, "attempt")): "
                    + letter.error,
                position: record.position,
                event: letter.event.id
            )
            self.letters.append(
                Letter(service: letter.service, number: letter.number, witness: witness)
            )

        case .redriven(let service, let number):
            self.letters.removeAll { $0.service == service && $0.number == number }
            self.redriven += 1

        default: break
        }
        return nil
    }

    private func published(
        poison event: RecordView.EventView,
        _ record: RecordView
    ) {
        self.poisonCount += 1
        let services = self.layout.services.indices
        let isConsumed = services.contains {
            self.layout.consumedTopics(of: $0).contains(event.topic)
        }
        guard isConsumed else { return }
        self.poison[event.id] = Witness(
            "\(record.subject(of: event)) published, which is no \(record.type(of: event))",
            position: record.position,
            event: event.id
        )
    }

    package func finished(_ end: RunEnd) -> Finding {
        if let first = self.letters.first {
            return .broken("\(counted(self.letters.count, "dead letter")) left", first.witness)
        }
        // The first by position, whatever order the dictionary has.
        let swallowed = self.poison.values.min { $0.position ?? 0 < $1.position ?? 0 }
        if let swallowed {
            let count = counted(self.poison.count, "event")
            return .broken("\(count) that nobody can read became no dead letter", swallowed)
        }
        if self.poisonCount > 0 {
            return .held("none but \(counted(self.poisonCount, "event")) that nobody can read")
        }
        return .held(self.redriven > 0 ? "\(self.redriven) redriven" : "none")
    }
}
