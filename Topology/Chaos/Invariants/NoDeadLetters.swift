import Mesh

/// No service gave up an event for good.
package struct NoDeadLetters: Invariant {
    package let name = "no-dead-letters"
    package let promise = "no dead letter is left"
    package let hears: Hearing = .records

    private struct Letter {
        var service: Int
        var number: UInt64
        var witness: Witness
    }

    private let layout: MeshLayout
    private var letters: [Letter] = []
    private var redriven = 0

    package init(layout: MeshLayout) {
        self.layout = layout
    }

    package mutating func recorded(_ record: LogRecord) -> Finding? {
        switch record.body {
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

        case .redriven(let service, let number, _):
            self.letters.removeAll { $0.service == service && $0.number == number }
            self.redriven += 1

        default: break
        }
        return nil
    }

    package mutating func finished(_ end: RunEnd) -> Finding {
        if let first = self.letters.first {
            return .broken("\(counted(self.letters.count, "dead letter")) left", first.witness)
        }
        return .held(self.redriven > 0 ? "\(self.redriven) redriven" : "none")
    }
}
