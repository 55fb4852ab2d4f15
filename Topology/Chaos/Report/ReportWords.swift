import Mesh

/// The words and tables of the page, which can be read without any script.
struct ReportWords {
    let runs: [ReportRun]

    /// The runs of one scenario in one world.
    private struct Row {
        var name: String
        var world: World
        var numbers: [Int]
    }

    private var rows: [Row] {
        var rows: [Row] = []
        var places: [String: Int] = [:]
        for (number, run) in self.runs.enumerated() {
            let key = "\(run.world.rawValue)/\(run.name)"
            if let place = places[key] {
                rows[place].numbers.append(number)
            } else {
                places[key] = rows.count
                rows.append(Row(name: run.name, world: run.world, numbers: [number]))
            }
        }
        return rows
    }

    // MARK: The whole

    /// The title of the page: the verdict first.
    var title: String {
        guard self.runs.count == 1, let run = self.runs.first else {
            let word = Self.worst(of: self.runs).rawValue.uppercased()
            return "\(word): \(self.rows.count) scenarios, \(self.runs.count) runs"
        }
        return "\(run.outcome.rawValue.uppercased()): \(Self.name(of: run))"
    }

    /// What stands between the head and the data.
    var body: String {
        let sections = self.runs.indices.filter(self.hasSection).map(self.section)
        return """
            <a class="skip" href="#report">Skip to the report</a>
            <header class="top"><p class="brand">Squall <span>report</span></p>
            <button type="button" id="theme" hidden>Theme: automatic</button></header>
            <main id="report">
            \(self.runs.count == 1 ? "" : self.summary)
            \(sections.joined(separator: "\n"))
            </main>
            """
    }

    /// A passed run of many says no more than its line in the summary, unless it has a picture.
    private func hasSection(_ number: Int) -> Bool {
        let run = self.runs[number]
        return self.runs.count == 1 || run.outcome == .failed || run.outcome == .unknown
            || run.timeline != nil
    }

    static func worst(of runs: [ReportRun]) -> ReportRun.Outcome {
        let outcomes = Set(runs.map(\.outcome))
        let order: [ReportRun.Outcome] = [.failed, .unknown, .passed, .skipped]
        return order.first(where: outcomes.contains) ?? .unknown
    }

    private static func name(of run: ReportRun) -> String {
        let seed = run.seed.map { ", seed \($0)" } ?? ""
        return "\(run.name) (\(run.world.rawValue)\(seed))"
    }

    private static func badge(_ outcome: ReportRun.Outcome) -> String {
        let sign =
            switch outcome {
            case .passed: "✓"
            case .failed: "✗"
            case .unknown: "?"
            case .skipped: "–"
            }
        return "<span class=\"badge \(outcome.rawValue)\">"
            + "<span aria-hidden=\"true\">\(sign)</span> \(outcome.rawValue.uppercased())</span>"
    }

    // MARK: The summary

    private var summary: String {
        let rows = self.rows
        let outcomes = ReportRun.Outcome.allCases.compactMap { outcome -> String? in
            let count = self.runs.filter { $0.outcome == outcome }.count
            return count == 0 ? nil : "\(HumanText.count(count)) \(outcome.rawValue)"
        }
        return """
            <section id="summary" aria-labelledby="summary-title">
            <h1 id="summary-title">\(Self.badge(Self.worst(of: self.runs)))
            \(rows.count) scenarios, \(HumanText.count(self.runs.count)) runs</h1>
            <p>\(outcomes.joined(separator: ", "))</p>
            <div class="wide"><table class="summary"><thead><tr><th scope="col">Scenario</th>
            <th scope="col">World</th><th scope="col">Seeds</th><th scope="col">Verdict</th>
            <th scope="col">Faults that bit</th><th scope="col">Time</th></tr></thead>
            <tbody>
            \(rows.enumerated().map { self.row($0, $1) }.joined(separator: "\n"))
            </tbody></table></div>
            </section>
            """
    }

    private func row(_ index: Int, _ row: Row) -> String {
        let runs = row.numbers.map { self.runs[$0] }
        let failed = runs.filter { $0.outcome == .failed }.count
        let faults = runs.flatMap(\.faults)
        let bitten = faults.filter { $0.bitten > 0 }.count
        let took = runs.reduce(Duration.zero) { $0 + ($1.took ?? $1.elapsed) }
        let verdict =
            Self.badge(Self.worst(of: runs))
            + (failed > 0 && runs.count > 1 ? " <small>\(failed) of \(runs.count)</small>" : "")
        return """
            <tr><th scope="row"><button type="button" class="row" aria-expanded="true"
            aria-controls="row-\(index)">\(HTMLText.escaped(row.name))</button></th>
            <td>\(row.world.rawValue)</td><td>\(HumanText.count(runs.count))</td>
            <td>\(verdict)</td>
            <td>\(faults.isEmpty ? "no faults" : "\(bitten) of \(faults.count)")</td>
            <td>\(HumanText.duration(took))</td></tr>
            <tr id="row-\(index)" class="details"><td colspan="6">\(self.details(row))</td></tr>
            """
    }

    private func details(_ row: Row) -> String {
        var out: [String] = []
        let plain = row.numbers.filter { !self.hasSection($0) }
        for outcome in [ReportRun.Outcome.passed, .skipped] {
            let numbers = plain.filter { self.runs[$0].outcome == outcome }
            guard !numbers.isEmpty else { continue }
            let seeds = numbers.compactMap { self.runs[$0].seed }.map { Int(clamping: $0) }.sorted()
            let list = seeds.isEmpty ? "" : ": seeds \(HumanText.ranges(seeds))"
            out.append("<p>\(outcome.rawValue) \(numbers.count)\(list)</p>")
        }
        if let reason = plain.first(where: { self.runs[$0].outcome == .skipped }) {
            out.append("<p>\(HTMLText.escaped(self.runs[reason].headline))</p>")
        }
        let links = row.numbers.filter(self.hasSection).map { number -> String in
            let run = self.runs[number]
            let seed = run.seed.map { "seed \($0)" } ?? "this run"
            let why = run.failure.map { "\($0.invariant): \($0.summary)" } ?? run.headline
            return "<li>\(Self.badge(run.outcome)) <a href=\"#run-\(number)\">\(seed)</a> "
                + HTMLText.escaped(why) + "</li>"
        }
        if !links.isEmpty { out.append("<ul class=\"runs\">\(links.joined())</ul>") }
        return out.joined(separator: "\n")
    }

    // MARK: One run

    private func section(_ number: Int) -> String {
        let run = self.runs[number]
        let level = self.runs.count == 1 ? "h1" : "h2"
        let back =
            self.runs.count == 1
            ? "" : "<p class=\"back\"><a href=\"#summary\">← all scenarios</a></p>"
        let timeline =
            run.timeline == nil
            ? "" : "<div class=\"timeline\" data-run=\"\(number)\"></div>"
        return """
            <section class="run" id="run-\(number)" aria-labelledby="run-\(number)-title">
            \(back)<\(level) id="run-\(number)-title">\(Self.badge(run.outcome))
            \(HTMLText.escaped(Self.name(of: run)))</\(level)>
            <p class="headline">\(HTMLText.escaped(run.headline))</p>
            \(self.failure(run))
            \(self.story(run))
            \(timeline)
            \(self.faults(run))
            \(self.promises(run))
            \(self.foot(run))
            </section>
            """
    }

    private func failure(_ run: ReportRun) -> String {
        var out = ""
        if let failure = run.failure {
            let witness = failure.witness.map { "<li>\(HTMLText.escaped($0.description))</li>" }
            out =
                "<div class=\"failure \(run.outcome.rawValue)\"><h3>"
                + "\(HTMLText.escaped(failure.invariant))</h3>"
                + "<p>\(HTMLText.escaped(failure.summary))</p>"
                + (witness.isEmpty ? "" : "<h4>Witness</h4><ul>\(witness.joined())</ul>")
                + "</div>"
        }
        guard let replay = run.replay else { return out }
        let line = HTMLText.escaped(replay)
        return out + "<p class=\"replay\"><span>See it again:</span> <code>\(line)</code> "
            + "<button type=\"button\" class=\"copy\" hidden>Copy</button></p>"
    }

    private func story(_ run: ReportRun) -> String {
        guard !run.story.isEmpty else { return "" }
        let lines = run.story.map { line in
            let kind = line.contains("⚡") ? " class=\"fault\"" : ""
            return "<li\(kind)>\(HTMLText.escaped(line))</li>"
        }
        let title = HTMLText.escaped(run.storyTitle.isEmpty ? "What happened" : run.storyTitle)
        return "<details class=\"story\" open><summary>\(title)</summary>"
            + "<ol tabindex=\"0\" aria-label=\"The story in the order of time\">"
            + lines.joined() + "</ol></details>"
    }

    private func faults(_ run: ReportRun) -> String {
        guard !run.faults.isEmpty else { return "" }
        let rows = run.faults.map { fault -> String in
            let begin = fault.begin.map(HumanText.duration) ?? "never began"
            let end =
                fault.begin == nil
                ? "" : fault.end.map(HumanText.duration) ?? "the end of the run"
            let bites = fault.bitten == 0 ? "did not bite" : "\(HumanText.count(fault.bitten))×"
            return "<tr><th scope=\"row\">\(HTMLText.escaped(fault.text))</th>"
                + "<td>\(begin)</td><td>\(end)</td><td>\(bites)</td></tr>"
        }
        let bitten = run.faults.filter { $0.bitten > 0 }.count
        return """
            <details\(run.faults.count <= 20 ? " open" : "")>
            <summary>Faults: \(bitten) of \(run.faults.count) bit</summary>
            <div class="wide"><table><thead><tr><th scope="col">Fault</th>
            <th scope="col">From</th><th scope="col">To</th><th scope="col">Bit</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></details>
            """
    }

    private func promises(_ run: ReportRun) -> String {
        guard !run.checks.isEmpty else { return "" }
        let rows = run.checks.map { check -> String in
            let sign =
                switch check.finding.outcome {
                case .held: "✓ held"
                case .broken: "✗ broken"
                case .unknown: "? unknown"
                }
            return "<tr class=\"\(check.finding.outcome.rawValue)\"><td>\(sign)</td>"
                + "<th scope=\"row\">\(HTMLText.escaped(check.promise))</th>"
                + "<td>\(HTMLText.escaped(check.finding.summary))</td></tr>"
        }
        let held = run.checks.filter { $0.finding.outcome == .held }.count
        return """
            <details\(run.outcome == .passed ? "" : " open")>
            <summary>Promises: \(held) of \(run.checks.count) held</summary>
            <div class="wide"><table class="promises"><thead><tr><th scope="col">Finding</th>
            <th scope="col">Promise</th><th scope="col">What was found</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></details>
            """
    }

    private func foot(_ run: ReportRun) -> String {
        var parts = ["\(HumanText.duration(run.elapsed)) in its world"]
        if let took = run.took { parts.append("took \(HumanText.duration(took))") }
        if let hash = run.hash { parts.append("run hash \(Hex.text(hash))") }
        return "<p class=\"foot\">\(parts.joined(separator: ", "))</p>"
    }
}
