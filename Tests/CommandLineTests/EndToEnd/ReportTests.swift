import Chaos
import Glibc
import Mesh
import Testing

/// A program that a test needs and a machine may lack.
enum Tools {
    static let chromium = Self.find([
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
        "/usr/bin/google-chrome-stable",
    ])
    static let python = Self.find(["/usr/bin/python3", "/usr/local/bin/python3"])

    private static func find(_ paths: [String]) -> String? {
        paths.first { access($0, X_OK) == 0 }
    }
}

@Suite struct `The report of a run` {
    private let folder: TestFolder

    init() throws { self.folder = try TestFolder() }

    /// A saved simulated run that breaks a promise.
    private func failingRun(orders: Int) throws -> String {
        let result = try self.folder.squall(
            "sim --bug charge-without-key --runs 1 --orders \(orders) --quiet"
        )
        #expect(result.code == 1)
        return "sim-1-charge-without-key"
    }

    // MARK: In a browser

    /// Loads a page, lets `script` happen to it, and returns what its root element says then.
    private func attributes(of file: String, script: String) throws -> [String: String] {
        let page = TestFolder.read("\(self.folder.path)/\(file)")
        let end = try #require(page.firstRange(of: "</body>"))
        // Frames come with the browser's virtual time: a busy machine may draw none else.
        let frames = "requestAnimationFrame = (draw) => setTimeout(() => draw(Date.now()), 16);"
        let mark = "<script>\(frames) addEventListener('load', () => { \(script) });</script>"
        try self.folder.write(page[..<end.lowerBound] + mark + "</body></html>", to: "page.html")
        let text = try self.folder.run(
            try #require(Tools.chromium),
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--user-data-dir=\(self.folder.path)/browser", "--virtual-time-budget=4000",
                "--dump-dom", "file://\(self.folder.path)/page.html",
            ]
        )
        let root = try #require(text.firstRange(of: "<html "))
        let tag = try #require(text[root.upperBound...].firstIndex(of: ">"))
        var attributes: [String: String] = [:]
        for part in text[root.upperBound..<tag].split(separator: "\" ") {
            guard let mark = part.firstRange(of: "=\"") else { continue }
            let rest = part[mark.upperBound...]
            let value = rest.hasSuffix("\"") ? rest.dropLast() : rest
            let name = String(part[..<mark.lowerBound])
            attributes[name] = String(value.replacing("&quot;", with: "\""))
        }
        return attributes
    }

    @Test(
        .enabled(
            if: Tools.chromium != nil,
            "no chromium is installed: the page was not looked at in a browser"
        )
    )
    func `a browser draws the failed journey, all of the run, and what is asked for`() throws {
        let run = try self.failingRun(orders: 60)
        let result = try self.folder.squall("report \(run) --out report.html")
        #expect(result.code == 0, "\(result.errors)")
        let attributes = try self.attributes(
            of: "report.html",
            script: """
                const root = document.documentElement;
                const stage = document.querySelector('.stage');
                const picture = document.querySelector('canvas.picture');
                const key = (key) => stage.dispatchEvent(new KeyboardEvent('keydown', { key }));
                // What is drawn from lane to lane from now on: lines that go up or down a lane.
                const pen = CanvasRenderingContext2D.prototype;
                const { moveTo, lineTo } = pen;
                let from = [0, 0], steep = 0;
                pen.moveTo = function (x, y) { from = [x, y]; moveTo.call(this, x, y); };
                pen.lineTo = function (x, y) {
                  if (Math.abs(y - from[1]) > 20 && x !== from[0]) steep++;
                  lineTo.call(this, x, y);
                };
                root.dataset.first = root.dataset.drawn;
                root.dataset.rows = document.querySelectorAll('.journey tbody tr').length;
                root.dataset.verdict = document.querySelector('.badge').textContent;
                root.dataset.title = document.querySelector('.story summary').textContent;
                dispatchEvent(new Event('resize'));
                setTimeout(() => {
                  root.dataset.steep = steep;
                  ['0', '+', 'ArrowRight', 'n', 'p', 'Enter', 'j', 'Escape', '0'].forEach(key);
                }, 200);
                const at = (type, x, y) => picture.dispatchEvent(new PointerEvent(type,
                  { clientX: x, clientY: y, pointerId: 1, bubbles: true }));
                setTimeout(() => {
                  const box = picture.getBoundingClientRect();
                  for (let y = 0; y < box.height; y += 7) at('pointermove', box.x + 200, box.y + y);
                }, 500);
                """
        )
        #expect(attributes["data-errors"] == "")
        let first = try JSONValue(parsing: attributes["data-first"] ?? "")
        #expect(first["lanes"]?.int == 9, "five services, three parties, the hub")
        #expect(first["faults"]?.int == 10)
        let journey = first["journey"]?.string ?? ""
        #expect(journey.hasPrefix("order-"))
        #expect(first["mode"]?.string == "arrows")
        #expect(first["arrows"]?.int ?? 0 > 8)
        let drawn = Int(attributes["data-steep"] ?? "") ?? 0
        #expect(drawn >= (first["arrows"]?.int ?? 0) / 2, "the arrows are not drawn")
        #expect(Int(attributes["data-rows"] ?? "") ?? 0 > 8, "the journey as a table")
        #expect(attributes["data-verdict"]?.contains("FAILED") == true)
        #expect(attributes["data-title"] == "What happened to \(journey):")
        let last = try JSONValue(parsing: attributes["data-drawn"] ?? "")
        #expect(last["arrows"]?.int ?? 0 > 500, "all of the run")
        #expect(last["journey"]?.string == "", "let go by Escape")
    }

    @Test(
        .enabled(
            if: Tools.chromium != nil,
            "no chromium is installed: the page was not looked at in a browser"
        )
    )
    func `a summary's row opens its details, and a link its run`() throws {
        var runs = (1...4).map {
            ReportRun(name: "calm", world: .simulated, seed: $0, outcome: .passed)
        }
        runs.append(ReportRun(name: "storm", world: .simulated, seed: 5, outcome: .failed))
        try self.folder.write(Report.html(of: runs), to: "report.html")
        let attributes = try self.attributes(
            of: "report.html",
            script: """
                const root = document.documentElement;
                const rows = [...document.querySelectorAll('button.row')];
                const details = () => [...document.querySelectorAll('tr.details')].filter(
                  (row) => !row.hidden).length;
                root.dataset.before = details();
                rows[1].click();
                root.dataset.after = details();
                document.querySelector('ul.runs a').click();
                setTimeout(() => {
                  root.dataset.summary = document.getElementById('summary').hidden;
                  root.dataset.run = !document.getElementById('run-4').hidden;
                }, 200);
                """
        )
        #expect(attributes["data-errors"] == "")
        #expect(attributes["data-before"] == "0")
        #expect(attributes["data-after"] == "1")
        #expect(attributes["data-summary"] == "true")
        #expect(attributes["data-run"] == "true")
    }

    // MARK: For machines

    @Test(.enabled(if: Tools.python != nil, "no python3 is installed: the XML was not read"))
    func `another program reads the JUnit XML, whatever the names are made of`() throws {
        let name = "a <b> & \"c\" 'd' \u{1}\u{1B}[31m\u{FFFE} \u{1F300}"
        var failed = ReportRun(name: name, world: .real, seed: 7, outcome: .failed)
        failed.failure = ScenarioOutcome.Failure(
            invariant: "charged-once",
            summary: "twice\n]]> \(name)",
            witness: [Witness("capture of $70")]
        )
        failed.replay = "squall replay sim-7"
        failed.took = .milliseconds(1500)
        let runs = [
            failed, ReportRun(name: name, world: .real, seed: 8, outcome: .passed),
            ReportRun(name: "other", world: .simulated, seed: nil, outcome: .skipped),
            ReportRun(name: "other", world: .simulated, seed: 9, outcome: .unknown),
        ]
        try self.folder.write(JUnit.xml(of: runs), to: "junit.xml")
        try self.folder.write(
            """
            import json, xml.etree.ElementTree as tree
            root = tree.parse("junit.xml").getroot()
            print(json.dumps({
                "suites": [[s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"),
                    s.get("skipped"), s.get("time")] for s in root],
                "cases": [[c.get("name"), [k.tag for k in c]] for c in root.iter("testcase")],
                "text": root.find(".//failure").text,
                "message": root.find(".//failure").get("message")}))
            """,
            to: "read.py"
        )
        let text = try self.folder.run(try #require(Tools.python), ["read.py"])
        let read = try JSONValue(parsing: text)
        let clean = "a <b> & \"c\" 'd' \u{FFFD}\u{FFFD}[31m\u{FFFD} \u{1F300}"
        #expect(
            read["suites"]
                == [
                    [.string("\(clean) (real)"), "2", "1", "0", "0", "1.500"],
                    ["other (simulated)", "2", "0", "1", "1", "0.000"],
                ]
        )
        #expect(
            read["cases"]
                == [
                    ["seed 7", ["failure"]], ["seed 8", []], ["other", ["skipped"]],
                    ["seed 9", ["error"]],
                ]
        )
        #expect(read["message"]?.string == "charged-once: twice\n]]> \(clean)")
        let lines = read["text"]?.string?.split(separator: "\n") ?? []
        #expect(lines.suffix(2) == ["capture of $70", "squall replay sim-7"])
    }

    @Test func `a run of processes is reported from its folder, with the faults that were armed`()
        throws
    {
        let up = try SquallProcess(
            ["up", "--rate", "40", "--quiet"],
            in: self.folder
        )
        defer { up.destroy() }
        try Deadline.wait(seconds: 30, for: "orders to end") {
            let result = try self.folder.squall("ps --json")
            guard result.code == 0, let json = try? JSONValue(parsing: result.output) else {
                return false
            }
            return json["orders"]?["confirmed"]?.int ?? 0 > 5
        }
        _ = try self.folder.json("cut orders inventory --for 300ms")
        _ = try self.folder.json("kill payments")
        up.signal(SIGINT)
        #expect(try up.wait() == 0, "\(up.standardError)")
        let json = try self.folder.json("report latest --out real.html")
        let run = try #require(json["runs"]?.array?.first)
        #expect(run["outcome"]?.string == "passed")
        #expect(run["world"]?.string == "real")
        let fault = try #require(run["faults"]?.array?.first)
        #expect(fault["fault"]?.string == "cut orders→inventory")
        #expect(fault["endNanoseconds"]?.int ?? 0 > fault["beginNanoseconds"]?.int ?? .max)
        let page = TestFolder.read("\(self.folder.path)/real.html")
        #expect(page.contains("\"killed payments"), "what the diary tells")
        #expect(page.contains("\"cut orders→inventory\""))
    }

    @Test func `what cannot be reported is said, with exit code 2`() throws {
        let run = try self.failingRun(orders: 3)
        let none = try self.folder.squall("report sim-7")
        #expect(none.code == 2)
        #expect(none.errors.contains("there is no run 'sim-7'"))
        let unwritable = try self.folder.squall("report \(run) --out nowhere/report.html")
        #expect(unwritable.code == 2)
        #expect(unwritable.errors.contains("nowhere/report.html"))
    }
}
