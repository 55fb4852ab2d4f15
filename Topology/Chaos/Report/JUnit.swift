import Mesh

/// The results of runs as JUnit XML, which build servers read.
///
/// A suite for each scenario in each world, a test case for each seed. A broken promise is a
/// failure with its witness and the line that replays it; what could not be judged is an error;
/// what a world cannot do is skipped.
package enum JUnit {
    /// Returns the document.
    package static func xml(of runs: [ReportRun]) -> String {
        var suites: [(name: String, runs: [ReportRun])] = []
        var places: [String: Int] = [:]
        for run in runs {
            let name = "\(run.name) (\(run.world.rawValue))"
            if let place = places[name] {
                suites[place].runs.append(run)
            } else {
                places[name] = suites.count
                suites.append((name, [run]))
            }
        }
        var out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        out += "<testsuites name=\"squall\"\(self.totals(runs))>\n"
        for suite in suites {
            out += "  <testsuite name=\"\(self.escaped(suite.name))\"\(self.totals(suite.runs))>\n"
            for run in suite.runs { out += self.testCase(run, suite.name) }
            out += "  </testsuite>\n"
        }
        return out + "</testsuites>\n"
    }

    private static func totals(_ runs: [ReportRun]) -> String {
        let count = { (outcome: ReportRun.Outcome) in
            runs.filter { $0.outcome == outcome }.count
        }
        let time = runs.reduce(Duration.zero) { $0 + ($1.took ?? $1.elapsed) }
        return " tests=\"\(runs.count)\" failures=\"\(count(.failed))\""
            + " errors=\"\(count(.unknown))\" skipped=\"\(count(.skipped))\""
            + " time=\"\(self.seconds(time))\""
    }

    private static func testCase(_ run: ReportRun, _ suite: String) -> String {
        let name = run.seed.map { "seed \($0)" } ?? run.name
        let head =
            "    <testcase classname=\"\(self.escaped(suite))\" name=\"\(self.escaped(name))\""
            + " time=\"\(self.seconds(run.took ?? run.elapsed))\""
        let message = run.failure.map { "\($0.invariant): \($0.summary)" } ?? run.headline
        switch run.outcome {
        case .passed: return head + "/>\n"
        case .skipped:
            return head + ">\n      <skipped message=\"\(self.escaped(message))\"/>\n"
                + "    </testcase>\n"
        case .failed: return head + ">\n" + self.trouble("failure", run, message)
        case .unknown: return head + ">\n" + self.trouble("error", run, message)
        }
    }

    private static func trouble(_ tag: String, _ run: ReportRun, _ message: String) -> String {
        var lines = [message]
        lines += (run.failure?.witness ?? []).map(\.description)
        if !run.story.isEmpty {
            lines.append(run.storyTitle)
            lines += run.story
        }
        if let replay = run.replay { lines.append(replay) }
        let type = run.failure?.invariant ?? run.outcome.rawValue
        return "      <\(tag) message=\"\(self.escaped(message))\" type=\"\(self.escaped(type))\">"
            + self.escaped(lines.joined(separator: "\n"), isAttribute: false)
            + "</\(tag)>\n    </testcase>\n"
    }

    private static func seconds(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.inMilliseconds)
        let rest = String(1000 + milliseconds % 1000).dropFirst()
        return "\(milliseconds / 1000).\(rest)"
    }

    /// Returns text for XML 1.0, which has no way at all to write most control characters.
    private static func escaped(_ text: String, isAttribute: Bool = true) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "\n" where !isAttribute: out += "\n"
            case "\t", "\n", "\r": out += "&#\(scalar.value);"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
                out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
