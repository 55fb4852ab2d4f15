import Glibc
import Mesh
import Testing

/// Real processes, so one after the other: two cores are soon busy.
@Suite(.serialized) struct `squall up` {
    let folder: TestFolder

    init() throws { self.folder = try TestFolder() }

    /// Starts a topology and waits until orders are placed.
    func started(_ options: String = "", run: String? = nil) throws -> SquallProcess {
        let words = "up --quiet --json \(options)".split(separator: " ").map(String.init)
        let process = try SquallProcess(words, in: self.folder)
        do {
            try Deadline.wait(seconds: 20, for: "the first order") {
                let ps = "ps" + (run.map { " --run \($0)" } ?? "")
                guard let status = try? self.folder.json(ps) else { return false }
                return (status["orders"]?["placed"]?.int ?? 0) > 0
            }
        } catch {
            process.destroy()
            throw SquallProcess.Failure("\(error): \(process.standardError)")
        }
        return process
    }

    func process(_ name: String) throws -> JSONValue {
        let status = try self.folder.json("ps")
        let found = status["processes"]?.array?.first { $0["name"]?.string == name }
        guard let found else { throw SquallProcess.Failure("no process \(name)") }
        return found
    }

    func expectNothingLeft(of pids: [pid_t]) throws {
        for pid in pids {
            try Deadline.wait(seconds: 5, for: "the end of process \(pid)") { kill(pid, 0) != 0 }
        }
        let names = TestFolder.names(in: self.folder.run)
        #expect(!names.contains { $0.hasSuffix(".sock") || $0 == "lock" })
    }

    func expectPassed(_ process: SquallProcess) throws {
        let code = try process.wait()
        #expect(code == 0, "\(process.standardOutput)\(process.standardError)")
        let verdict = try JSONValue(parsing: process.standardOutput)
        #expect(verdict["verdict"]?.string == "passed", "\(process.standardOutput)")
        let checked = try self.folder.json("check")
        #expect(checked["verdict"] == verdict["verdict"])
        #expect(checked["counts"] == verdict["counts"])
        #expect(checked["earlierVerdict"]?.string == "passed")
    }

    @Test func `drains, judges and leaves nothing behind when its time is over`() throws {
        let process = try self.started("--for 2s --rate 50")
        defer { process.destroy() }
        let children = process.children
        #expect(children.count == 8)
        try self.expectPassed(process)
        try self.expectNothingLeft(of: children)
        let verdict = try JSONValue(parsing: TestFolder.read("\(self.folder.run)/verdict.json"))
        #expect((verdict["counts"]?["ordersPlaced"]?.int ?? 0) >= 50)
        #expect(TestFolder.names(in: self.folder.run).contains("topology.json"))
    }

    @Test func `loses and doubles nothing when everything is killed ten times over`() throws {
        let process = try self.started("--rate 100")
        defer { process.destroy() }
        let names = [
            "hub", "bank", "mail", "orders", "inventory", "payments", "notifications", "analytics",
        ]
        var random = SeededRandom(seed: 7)
        for round in 1...10 {
            var left = names
            while !left.isEmpty {
                let name = left.remove(at: random.below(left.count))
                try Deadline.wait(seconds: 30, for: "\(name) to be killed in round \(round)") {
                    try self.folder.squall("kill \(name)").code == 0
                }
            }
            try Deadline.wait(seconds: 30, for: "all to be back after round \(round)") {
                let processes = try self.folder.json("ps")["processes"]?.array ?? []
                return processes.allSatisfy { $0["state"]?.string == "ready" }
            }
        }
        for name in names {
            #expect((try self.process(name)["restarts"]?.int ?? 0) >= 10, "\(name)")
        }
        process.signal(SIGINT)
        try self.expectPassed(process)
        try self.expectNothingLeft(of: [])
    }

    @Test func `arms faults that bite, heals them and says how often they bit`() throws {
        let process = try self.started("--rate 100")
        defer { process.destroy() }
        for line in [
            "pause inventory", "slow analytics 2ms", "cut orders payments", "fault mail down",
            "slow bank 3ms", "load x2",
        ] {
            #expect(try self.folder.squall(line).code == 0, "\(line)")
        }
        try Deadline.wait(seconds: 20, for: "the pause to hold events up") {
            (try self.process("inventory")["lag"]?.int ?? 0) > 20
        }
        #expect(try self.folder.squall("resume inventory").code == 0)
        try Deadline.wait(seconds: 20, for: "the faults to bite") {
            let faults = try self.folder.json("ps")["faults"]?.array ?? []
            let bitten = faults.filter { ($0["bitten"]?.int ?? 0) > 0 }.compactMap {
                $0["fault"]?.string
            }
            return bitten.contains("cut orders→payments") && bitten.contains("load ×2")
                && bitten.contains("analytics slow by 2.0 ms")
        }
        let healed = try self.folder.json("heal")["healed"]?.array ?? []
        #expect(healed.count == 5)
        #expect(try self.folder.json("ps")["faults"]?.array == [])
        process.signal(SIGTERM)
        try self.expectPassed(process)
    }

    @Test func `heals a fault by itself when its time is over`() throws {
        let process = try self.started("--rate 100")
        defer { process.destroy() }
        for line in ["pause payments 200ms", "cut orders inventory for 200ms"] {
            #expect(try self.folder.squall(line).code == 0, "\(line)")
        }
        try Deadline.wait(seconds: 20, for: "the faults to heal") {
            let status = try self.folder.json("ps")
            let texts = (status["happenings"]?.array ?? []).compactMap { $0["text"]?.string }
            return status["faults"]?.array == []
                && texts.filter { $0.hasPrefix("healed") }.count == 2
        }
        process.signal(SIGINT)
        try self.expectPassed(process)
    }

    @Test func `ends at once on a second signal, with the signal's exit code`() throws {
        let process = try self.started("--rate 50")
        defer { process.destroy() }
        let children = process.children
        // A stopped hub keeps the drain from ending.
        for child in children { kill(child, SIGSTOP) }
        process.signal(SIGINT)
        usleep(50_000)
        process.signal(SIGTERM)
        #expect(try process.wait(seconds: 20) == 143)
        try self.expectNothingLeft(of: children)
    }

    @Test func `takes a signal that is passed on twice for one`() throws {
        let process = try self.started("--rate 50")
        defer { process.destroy() }
        process.signal(SIGTERM)
        usleep(20_000)
        process.signal(SIGTERM)
        try self.expectPassed(process)
    }

    @Test func `takes all its processes with it when it is killed, and the next run cleans up`()
        throws
    {
        let process = try self.started("--rate 50")
        defer { process.destroy() }
        let children = process.children
        #expect(children.count == 8)
        process.signal(SIGKILL)
        #expect(try process.wait() == 128 + SIGKILL)
        for child in children {
            try Deadline.wait(seconds: 5, for: "the end of process \(child)") {
                kill(child, 0) != 0
            }
        }
        let dead =
            "\(self.folder.path)/.squall/runs/"
            + (TestFolder.names(in: "\(self.folder.path)/.squall/runs").first ?? "")
        #expect(TestFolder.names(in: dead).contains("control.sock"))
        let ps = try self.folder.squall("ps")
        #expect(ps.code == 3)
        #expect(ps.errors.contains("no topology is running here"))
        let next = try self.started("--for 1s --rate 50")
        defer { next.destroy() }
        try self.expectPassed(next)
        #expect(!TestFolder.names(in: dead).contains { $0.hasSuffix(".sock") })
    }

    @Test func `refuses a run folder that another one holds, or that holds a run`() throws {
        let first = try SquallProcess(
            ["up", "--run-folder", "mine", "--quiet"],
            in: self.folder
        )
        defer { first.destroy() }
        try Deadline.wait(seconds: 20, for: "the run to be there") {
            try self.folder.squall("ps --run mine").code == 0
        }
        let second = try self.folder.squall("up --run-folder mine")
        #expect(second.code == 3)
        #expect(second.errors.contains("is in use: another 'squall up' (pid \(first.pid))"))
        #expect(try self.folder.squall("ps --run mine").code == 0)
        try Deadline.wait(seconds: 20, for: "an order to end") {
            let status = try self.folder.json("ps --run mine")
            return (status["orders"]?["confirmed"]?.int ?? 0) > 0
        }
        first.signal(SIGINT)
        #expect(try first.wait() == 0)
        let third = try self.folder.squall("up --run-folder mine")
        #expect(third.code == 3)
        #expect(third.errors.contains("holds a run that is over"))
    }

    @Test func `runs beside another topology, and a command then wants to know which`() throws {
        let first = try self.started("--rate 20")
        defer { first.destroy() }
        let second = try SquallProcess(["up", "--quiet", "--rate", "20"], in: self.folder)
        defer { second.destroy() }
        try Deadline.wait(seconds: 20, for: "both to be there") {
            try self.folder.squall("ps").errors.contains("2 topologies are running")
        }
        try Deadline.wait(seconds: 20, for: "orders in both") {
            try TestFolder.names(in: "\(self.folder.path)/.squall/runs").allSatisfy { name in
                let result = try self.folder.squall("ps --json --run \(name)")
                let status = try? JSONValue(parsing: result.output)
                return (status?["orders"]?["confirmed"]?.int ?? 0) > 0
            }
        }
        first.signal(SIGINT)
        second.signal(SIGINT)
        #expect(try first.wait() == 0)
        #expect(try second.wait() == 0)
    }

    @Test func `places a recorded history and ends by itself`() throws {
        let rows = (1...40).map { "\($0),1997-01-\($0 % 20 + 10),\($0 % 3 + 1),\($0).25" }
        try self.folder.write(
            "customer,date,quantity,dollars\n" + rows.joined(separator: "\n") + "\n",
            to: "orders.csv"
        )
        let process = try SquallProcess(
            ["up", "--quiet", "--json", "--history", "orders.csv"],
            in: self.folder
        )
        defer { process.destroy() }
        try self.expectPassed(process)
        let verdict = try JSONValue(parsing: process.standardOutput)
        #expect(verdict["counts"]?["ordersPlaced"]?.int == 40)
    }

    @Test func `replays a history through random kills, to the cent`() throws {
        let rows = (1...1500).map { number in
            let date = "1997-0\(number % 9 + 1)-\(number % 19 + 10)"
            return "\(number % 300),\(date),1,\(number % 90).0\(number % 10)"
        }
        let cents = (1...1500).reduce(0) { $0 + ($1 % 90) * 100 + $1 % 10 }
        try self.folder.write(
            "customer,date,quantity,dollars\n" + rows.joined(separator: "\n") + "\n",
            to: "orders.csv"
        )
        let process = try SquallProcess(
            ["up", "--quiet", "--json", "--history", "orders.csv", "--chaos", "kills:8"],
            in: self.folder
        )
        defer { process.destroy() }
        try self.expectPassed(process)
        let verdict = try JSONValue(parsing: process.standardOutput)
        #expect(verdict["counts"]?["ordersConfirmed"]?.int == 1500)
        #expect(verdict["counts"]?["centsCaptured"]?.int == Int64(cents))
        #expect(verdict["timing"]?["kills"]?.array?.count == 8)
    }

    @Test func `names the process that keeps ending, with its last words`() throws {
        try self.folder.write(
            """
            {
              name: "broken",
              services: {
                grumpy: {
                  command: ["/bin/sh", "-c", "echo no mood today; exit 7"],
                  consumes: ["moods"],
                  restart: { backoffMin: "1ms", backoffMax: "2ms" },
                },
              },
              topics: { moods: { types: ["moods.v1"] } },
              links: [{ from: "shoppers", to: "grumpy" }],
              outside: { shoppers: { kind: "shoppers", emits: ["moods"] } },
            }
            """,
            to: "topology.json"
        )
        let result = try self.folder.squall("up")
        #expect(result.code == 3)
        #expect(result.errors.contains("grumpy ended 5 times"), "\(result.errors)")
        #expect(result.errors.contains("exited with code 7"))
        #expect(result.errors.contains("grumpy | no mood today"))
        #expect(result.errors.contains("try: squall logs grumpy"))
        try self.expectNothingLeft(of: [])
    }

    @Test func `follows events and logs of a topology that runs`() throws {
        let process = try self.started("--rate 50")
        defer { process.destroy() }
        let events = try SquallProcess(
            ["events", "-f", "--topic", "orders.ended"],
            in: self.folder
        )
        defer { events.destroy() }
        let logs = try SquallProcess(["logs", "-f", "notifications"], in: self.folder)
        defer { logs.destroy() }
        try Deadline.wait(seconds: 20, for: "twenty orders to end") {
            events.standardOutput.split(separator: "\n").count > 20
        }
        let before = logs.standardOutput.split(separator: "\n").count
        #expect(try self.folder.squall("kill notifications").code == 0)
        try Deadline.wait(seconds: 20, for: "the new process to say something") {
            logs.standardOutput.split(separator: "\n").count > before
        }
        process.signal(SIGINT)
        try self.expectPassed(process)
    }

    @Test func `works in a folder whose path is longer than a socket's name may be`() throws {
        let long = (1...12).map { "a-rather-long-folder-\($0)" }.joined(separator: "/")
        let path = "deep/\(long)/run"
        let process = try self.started("--rate 50 --run-folder \(path)", run: path)
        defer { process.destroy() }
        #expect(try self.folder.squall("kill hub --run \(path)").code == 0)
        try Deadline.wait(seconds: 20, for: "the hub to be back") {
            let status = try self.folder.json("ps --run \(path)")
            return status["processes"]?.array?.first?["state"]?.string == "ready"
        }
        process.signal(SIGINT)
        #expect(try process.wait() == 0)
    }

    @Test func `answers what is no request with an error, and goes on`() throws {
        let process = try self.started("--rate 50")
        defer { process.destroy() }
        let socket = "\(self.folder.run)/control.sock"
        let lines = ["garbage", "{}", #"{"do":"dance"}"#, #"{"do":"kill"}"#, #"{"do":"hub"}"#]
        for line in lines {
            let answer = try LineClient.ask(line, socket: socket)
            #expect(try JSONValue(parsing: answer)["error"]?.string != nil, "\(line)")
        }
        let faults = [
            "cut orders bank", "slow nobody 5ms", "kill shoppers", "fault orders down",
            "rewind analytics --to 0 --topic nothing", "resume orders",
        ]
        for line in faults {
            let result = try self.folder.squall(line)
            #expect(result.code != 0, "\(line)")
            #expect(result.errors.contains("try: squall"), "\(line): \(result.errors)")
        }
        process.signal(SIGINT)
        try self.expectPassed(process)
    }
}
