import Mesh
import Testing

/// `squall run` as a user types it, on scenarios of a folder of his own.
@Suite(.serialized) struct `Scenarios by command` {
    private let folder: TestFolder

    init() throws {
        self.folder = try TestFolder()
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let shop = TestFolder.read("/\(root)/Topology/shop.json")
        try self.folder.write(shop, to: "shop.json")
    }

    private func write(_ name: String, _ body: String) throws {
        let load = #"with: {load: {rate: 200, ramp: "0s"}}, orders: 20,"#
        try self.folder.write("{topology: \"shop.json\",\n\(load)\n\(body)}", to: name)
    }

    private let kill = #"faults: [{fault: "kill", target: "payments", at: "20ms"}],"#

    @Test func `pass, fail, are unknown or skipped, a line each, and the exit code says so`()
        throws
    {
        try self.write("a-passes.json", self.kill)
        let passed = try self.folder.squall("run a-passes.json --seeds 2")
        #expect(passed.code == 0, "\(passed.errors)")
        #expect(passed.output.contains("✓ a-passes  2 seeds"))

        let never = #"{number: 5000, event: "orders.placed.v1", from: "shoppers"}"#
        try self.write(
            "b-never.json",
            "faults: [{fault: \"kill\", target: \"hub\", after: \(never)}],"
        )
        let unknown = try self.folder.squall("run a-passes.json b-never.json --seed 1")
        #expect(unknown.code == 1)
        let reason = "never bit: kill hub after the 5000th"
        #expect(unknown.output.contains(reason), "\(unknown.output)")

        try self.write("c-real.json", self.kill + "worlds: [\"real\"],")
        let skipped = try self.folder.squall("run c-real.json")
        #expect(skipped.code == 1, "skipped alone is not passed")
        #expect(skipped.output.contains("skipped: the file says it is for the real world"))
        #expect(try self.folder.squall("run a-passes.json c-real.json --seed 1").code == 0)
    }

    @Test func `end a failure with witness, story and a line that replays it`() throws {
        try self.write(
            "bank.json",
            #"faults: [{fault: "timeout-after", target: "bank", at: "0s", for: "2s"}],"#
        )
        let result = try self.folder.squall("run bank.json --bug timeout-means-declined --seeds 2")
        #expect(result.code == 1)
        #expect(result.output.contains("FAILED  bank, seed 1: money-adds-up: order-"))
        #expect(result.output.contains("payments gets no money for order-"))
        let line = result.output.split(separator: "\n").first { $0.hasPrefix("squall replay ") }
        let words = try #require(line).dropFirst("squall ".count)
        let replay = try self.folder.squall(String(words))
        #expect(replay.code == 1)
        #expect(replay.output.contains("the same run as before"), "\(replay.output)")
    }

    @Test func `are proved by the bugs that they name`() throws {
        try self.write(
            "bank.json",
            #"faults: [{fault: "timeout-after", target: "bank", at: "0s", for: "2s"}],"#
                + #"brokenBy: ["timeout-means-declined", "cut-never-heals"],"#
        )
        let result = try self.folder.squall("run bank.json --prove --seeds 2")
        #expect(result.code == 1)
        #expect(result.output.contains("broken by timeout-means-declined, seed 1: money-adds-up"))
        #expect(result.output.contains("cut-never-heals breaks it in none of 2 seeds"))
        // A bug that breaks it anyway proves nothing of its faults.
        try self.write("idle.json", self.kill + #"brokenBy: ["confirm-before-payment"],"#)
        let idle = try self.folder.squall("run idle.json --prove --seeds 1")
        #expect(idle.code == 1)
        #expect(idle.output.contains("also without its faults"), "\(idle.output)")
        #expect(idle.output.contains("no bug needs what goes wrong in it"), "\(idle.output)")
    }

    @Test func `are all read before the first one runs, and every mistake is named`() throws {
        try self.write("good.json", self.kill)
        try self.write("bad.json", #"faults: [{fault: "kil", target: "hub", at: "1s"}],"#)
        try self.write("worse.json", self.kill + #"brokenBy: ["charge-without-kee"],"#)
        let result = try self.folder.squall("run good.json bad.json worse.json")
        #expect(result.code == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("bad.json:3:"), "\(result.errors)")
        #expect(result.errors.contains("did you mean 'kill'?"))
        #expect(result.errors.contains("did you mean 'charge-without-key'?"))
        for line in ["run nowhere.json", "run .squall", "run", "run good.json --bug oversel"] {
            #expect(try self.folder.squall(line).code == 2, "\(line)")
        }
    }

    @Test func `are told to machines as one object`() throws {
        try self.write("a.json", self.kill)
        let result = try self.folder.squall("run a.json --seeds 2 --json")
        let json = try JSONValue(parsing: result.output)
        #expect(json["passed"] == true)
        #expect(json["scenarios"]?.array?.first?["outcome"]?.string == "passed")
        #expect(json["scenarios"]?.array?.first?["seeds"]?.int == 2)
    }
}
