import Events
import Mesh

/// What is said of a whole run.
package struct Verdict: Sendable, Hashable {
    package enum Outcome: String, Sendable, Hashable {
        /// Every promise was kept.
        case passed
        /// One was broken.
        case failed
        /// None was broken, but not all could be judged, or nothing happened to judge.
        case unknown
    }

    /// One promise and what was found.
    package struct Check: Sendable, Hashable {
        package var name: String
        package var promise: String
        package var finding: Finding

        package init(name: String, promise: String, finding: Finding) {
            self.name = name
            self.promise = promise
            self.finding = finding
        }
    }

    package let outcome: Outcome
    /// In the order in which they are judged.
    package let checks: [Check]
    package let counts: RunCounts
    /// Whether nothing happened that could have gone wrong.
    package let isVacuous: Bool

    package init(checks: [Check], counts: RunCounts, isVacuous: Bool) {
        self.checks = checks
        self.counts = counts
        self.isVacuous = isVacuous
        if checks.contains(where: { $0.finding.outcome == .broken }) {
            self.outcome = .failed
        } else if isVacuous || checks.contains(where: { $0.finding.outcome == .unknown }) {
            self.outcome = .unknown
        } else {
            self.outcome = .passed
        }
    }

    /// 0 where every promise was kept, else 1.
    package var exitCode: Int32 { self.outcome == .passed ? 0 : 1 }

    /// The witness of the first promise that was broken.
    package var witness: [Witness] {
        self.checks.first { $0.finding.outcome == .broken }?.finding.witness ?? []
    }

    /// The verdict as an object; the same run always gives the same text.
    package var json: JSONValue {
        let checks = self.checks.map { check -> JSONValue in
            [
                "name": .string(check.name),
                "promise": .string(check.promise),
                "outcome": .string(check.finding.outcome.rawValue),
                "summary": .string(check.finding.summary),
                "witness": .array(check.finding.witness.map(\.json)),
            ]
        }
        return [
            "verdict": .string(self.outcome.rawValue),
            "exitCode": .int(Int64(self.exitCode)),
            "vacuous": .bool(self.isVacuous),
            "counts": self.counts.json,
            "checks": .array(checks),
        ]
    }

    /// Returns the verdict for a person: the word, then a line for each promise, failures last.
    ///
    /// The colours of a terminal carry no meaning of their own.
    package func text(color: Bool) -> String {
        let paint = Paint(isOn: color)
        var lines = [paint.outcome(self.outcome) + "  " + self.headline]
        let width = self.checks.map(\.promise.count).max() ?? 0
        let order: [Finding.Outcome] = [.held, .unknown, .broken]
        for outcome in order {
            for check in self.checks where check.finding.outcome == outcome {
                let gap = String(repeating: " ", count: width - check.promise.count + 2)
                lines.append(
                    " \(paint.mark(outcome)) \(check.promise)\(gap)\(check.finding.summary)"
                )
                for witness in check.finding.witness {
                    lines.append("     \(paint.faint(witness.description))")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One line: what happened, in numbers.
    package var headline: String {
        if self.isVacuous, self.outcome == .unknown {
            return "nothing was judged: no order ended; let it run longer or raise the load"
        }
        let counts = self.counts
        var parts = [counted(counts.ordersPlaced, "order")]
        parts.append("\(counts.ordersConfirmed) confirmed, \(counts.ordersCancelled) cancelled")
        if counts.ordersRefused > 0 { parts.append("\(counts.ordersRefused) refused") }
        if counts.ordersUnknown > 0 { parts.append("\(counts.ordersUnknown) unanswered") }
        parts.append("\(counts.moneyCaptured - counts.moneyRefunded) captured")
        parts.append("\(counts.unitsShipped) units shipped")
        parts.append("\(counts.events) events")
        return parts.joined(separator: ", ")
    }
}

/// The colours of a verdict on a terminal.
private struct Paint {
    var isOn: Bool

    func outcome(_ outcome: Verdict.Outcome) -> String {
        switch outcome {
        case .passed: self.paint("PASSED", "1;32")
        case .failed: self.paint("FAILED", "1;31")
        case .unknown: self.paint("UNKNOWN", "1;33")
        }
    }

    func mark(_ outcome: Finding.Outcome) -> String {
        switch outcome {
        case .held: self.paint("✓", "32")
        case .broken: self.paint("✗", "31")
        case .unknown: self.paint("?", "33")
        }
    }

    func faint(_ text: String) -> String { self.paint(text, "2") }

    private func paint(_ text: String, _ code: String) -> String {
        self.isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
