import Glibc
import Mesh
import Testing

/// Scenarios on real processes: every kind of fault and operation, planted bugs, and no leftovers.
@Suite(.serialized) struct `squall run --real` {
    private let folder: TestFolder
    /// The folder of the shop's topology file.
    private static let topology: String =
        "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/Topology"

    init() throws { self.folder = try TestFolder() }

    /// Writes a scenario of some orders in a second; the rest is as given.
    private func write(_ name: String, _ rest: String) throws {
        try self.folder.write(
            """
            {
              topology: "\(Self.topology)/shop.json", orders: 150, convergesWithin: "20s",
              with: { load: { rate: 100, ramp: "0s" }, limits: { attemptsMax: 20 } }, \(rest)
            }
            """,
            to: "\(name).json"
        )
    }

    private func run(
        _ name: String,
        _ options: String = ""
    ) throws -> (code: Int32, json: JSONValue) {
        let result = try self.folder.squall("run --real \(name).json \(options) --json")
        guard let json = try? JSONValue(parsing: result.output) else {
            throw SquallProcess.Failure("\(name): \(result.output)\(result.errors)")
        }
        return (result.code, json)
    }

    /// What was kept of the last run.
    private func outcome() throws -> JSONValue {
        try JSONValue(
            parsing: TestFolder.read("\(self.folder.path)/.squall/runs/latest/outcome.json")
        )
    }

    private func expectPassed(_ name: String) throws {
        let (code, json) = try self.run(name)
        #expect(code == 0, "\(json.prettyText)")
        // Commands for runs work on it.
        #expect(try self.folder.squall("check latest").code == 0)
    }

    @Test func `lets processes go wrong in every way while services are changed`() throws {
        try self.write(
            "processes",
            """
            faults: [
              { fault: "kill", target: "payments",
                after: { event: "payments.requested.v1", from: "orders", number: 5 } },
              { fault: "kill", target: "hub", at: "100ms", for: "50ms" },
              { fault: "crash-loop", target: "analytics", at: "0ms", for: "300ms", by: "70ms" },
              { fault: "pause", target: "mail", at: "0ms", for: "200ms" },
              { fault: "slow-cpu", target: "orders", at: "0ms", for: "600ms", percent: 40 },
            ],
            operations: [
              { do: "scale", service: "inventory", to: 2, at: "50ms" },
              { do: "roll", service: "notifications", at: "200ms" },
            ]
            """
        )
        try self.expectPassed("processes")
    }

    @Test func `lets links, parties and the load go wrong, and all is well afterwards`() throws {
        try self.write(
            "links",
            """
            faults: [
              { fault: "cut", from: "orders", to: ["inventory", "payments"], at: "0ms",
                for: "300ms" },
              { fault: "slow", target: "inventory", by: "2ms", at: "0ms", for: "2s" },
              { fault: "duplicate", from: "payments", to: "orders", at: "0ms", for: "2s" },
              { fault: "drop", from: "shoppers", to: "orders", hop: "publish", every: 7,
                at: "0ms", for: "1s" },
              { fault: "answers-twice", target: "bank", at: "0ms", for: "2s" },
              { fault: "load-spike", times: 3, at: "0ms", for: "200ms" },
            ]
            """
        )
        try self.expectPassed("links")
    }

    @Test func `lets the disk of the hub be slow, full, torn and fail`() throws {
        try self.write(
            "disk",
            """
            faults: [
              { fault: "slow-sync", at: "0ms", for: "1s", by: "5ms" },
              { fault: "disk-full", at: "0ms", for: "150ms" },
              { fault: "failed-sync",
                after: { event: "orders.placed.v1", from: "shoppers", number: 5 } },
              { fault: "torn-write",
                after: { event: "orders.placed.v1", from: "shoppers", number: 10 } },
            ]
            """
        )
        try self.expectPassed("disk")
    }

    @Test func `finds planted bugs, also those of outside parties and of power cuts`() throws {
        try self.write(
            "bank",
            """
            faults: [
              { fault: "kill", target: "bank", at: "250ms" },
              { fault: "kill", target: "bank", at: "450ms" },
            ],
            brokenBy: ["party-unsynced"]
            """
        )
        #expect(try self.folder.squall("run --real --prove bank.json").code == 0)
        let (code, _) = try self.run("bank", "--bug party-unsynced")
        #expect(code == 1)
        let outcome = try self.outcome()
        #expect(outcome["invariant"] == "money-adds-up")
        #expect(try self.folder.squall("check latest").code == 1)
    }

    @Test func `is in doubt about faults that never bit and skips what it cannot do`() throws {
        let rest = """
            at: "50ms", for: "100ms" }]
            """
        try self.write(
            "never",
            """
            faults: [{ fault: "drop", from: "orders", to: "payments",
              type: "payments.refund-requested.v1", \(rest)
            """
        )
        let (code, json) = try self.run("never")
        #expect(code == 1)
        #expect(json["scenarios"]?.array?.first?["outcome"] == "unknown")
        #expect(json.text.contains("never bit: drop orders→payments"))
        try self.write("skewed", "faults: [{ fault: \"clock-skew\", by: \"1s\", \(rest)")
        let skipped = try self.run("skewed")
        #expect(skipped.code == 1)
        #expect(skipped.json["scenarios"]?.array?.first?["outcome"] == "skipped")
    }

    @Test func `leaves no process behind when it is interrupted or killed`() throws {
        try self.write(
            "long",
            """
            faults: [
              { fault: "pause", target: ["orders", "hub", "bank"], at: "10ms", for: "60s" },
            ]
            """
        )
        for signal in [SIGINT, SIGKILL] {
            let process = try SquallProcess(["run", "--real", "long.json"], in: self.folder)
            defer { process.destroy() }
            var children: [pid_t] = []
            try Deadline.wait(seconds: 20, for: "the processes to stand still") {
                children = process.children
                return children.count { Self.state(of: $0) == "T" } == 3
            }
            process.signal(signal)
            #expect(try process.wait() != 0)
            try Deadline.wait(seconds: 10, for: "the end of all processes") {
                children.allSatisfy { kill($0, 0) != 0 || Self.state(of: $0) == "Z" }
            }
        }
    }

    private static func state(of pid: pid_t) -> String {
        let text = TestFolder.read("/proc/\(pid)/stat")
        return text.split(separator: ") ").last?.first.map { String($0) } ?? ""
    }
}
