import Glibc
import Mesh
import Testing

/// The loyalty service in Python, on real processes.
@Suite(.serialized, .enabled(if: access("/usr/bin/python3", X_OK) == 0))
struct `A service in Python` {
    private let folder: TestFolder
    private static let example: String = {
        let parts = #filePath.split(separator: "/").dropLast(4)
        return "/" + parts.joined(separator: "/") + "/Topology/examples/loyalty/topology.json"
    }()

    init() throws { self.folder = try TestFolder() }

    private func started(_ file: String) throws -> SquallProcess {
        let words = ["up", file, "--quiet", "--json", "--rate", "100"]
        let process = try SquallProcess(words, in: self.folder)
        do {
            try Deadline.wait(seconds: 20, for: "the first order") {
                guard let status = try? self.folder.json("ps") else { return false }
                return (status["orders"]?["placed"]?.int ?? 0) > 0
            }
        } catch {
            process.destroy()
            throw SquallProcess.Failure("\(error): \(process.standardError)")
        }
        return process
    }

    private func events(_ topic: String) throws -> [JSONValue] {
        try self.folder.squall("events --topic \(topic) --json").output.split(separator: "\n")
            .map { try JSONValue(parsing: String($0)) }
    }

    /// Every confirmed order has earned its points, once.
    private func expectPointsAddUp(atLeast count: Int) throws {
        let confirmed = try self.events("orders.ended").filter {
            $0["type"]?.string == "orders.confirmed.v1"
        }
        let earned = try self.events("loyalty.earned")
        #expect(confirmed.count >= count)
        #expect(earned.count == confirmed.count)
        var points: [String: Int64] = [:]
        for event in earned {
            points[try #require(event["causationid"]?.string)] = event["data"]?["points"]?.int
            #expect(event["source"]?.string == "loyalty")
        }
        for order in confirmed {
            let total = try #require(order["data"]?["total"]?.int)
            #expect(points[try #require(order["id"]?.string)] == total / 100)
        }
    }

    @Test func `loses and doubles nothing when it, its adapter or the hub is killed`() throws {
        let process = try self.started(Self.example)
        defer { process.destroy() }
        let names = ["loyalty", "loyalty.adapter", "hub"]
        for round in 1...3 {
            for name in names {
                #expect(try self.folder.squall("kill \(name)").code == 0)
                try Deadline.wait(seconds: 30, for: "\(name) to be back") {
                    let processes = try self.folder.json("ps")["processes"]?.array ?? []
                    let killed = processes.first { $0["name"]?.string == name }
                    return (killed?["restarts"]?.int ?? 0) >= round
                        && processes.allSatisfy { $0["state"]?.string == "ready" }
                }
            }
        }
        process.signal(SIGINT)
        #expect(try process.wait() == 0, "\(process.standardOutput)\(process.standardError)")
        try self.expectPointsAddUp(atLeast: 20)
    }

    @Test func `is short, and stands in the README as it is`() throws {
        let program = TestFolder.read(Self.example.replacing("topology.json", with: "loyalty.py"))
        #expect(program.split(separator: "\n", omittingEmptySubsequences: false).count <= 31)
        let root = Self.example.replacing("Topology/examples/loyalty/topology.json", with: "")
        let readme = TestFolder.read("\(root)README.md")
        #expect(!program.isEmpty && readme.contains("```python\n\(program)```"))
    }

    @Test func `is told of its mistakes, and its events become dead letters`() throws {
        try self.folder.write(Self.mistaken, to: "mistaken.py")
        let topology = TestFolder.read(Self.example)
            .replacing("\"loyalty.py\"", with: "\"mistaken.py\"")
            .replacing("load: {", with: "limits: { attemptsMax: 2 },\n  load: {")
        try self.folder.write(topology, to: "topology.json")
        let process = try self.started("topology.json")
        defer { process.destroy() }
        try Deadline.wait(seconds: 20, for: "a dead letter") {
            try self.folder.squall("dlq list").output.contains("loyalty")
        }
        process.signal(SIGINT)
        // A dead letter is left: the run is judged, and did not hold.
        #expect(try process.wait() == 1)
        let log = try self.folder.squall("logs loyalty --lines 1000").output
        #expect(log.contains("the line is no JSON"), "\(log)")
        #expect(log.contains("no topic that loyalty emits carries 'loyalty.unknown.v1'"), "\(log)")
        #expect(try self.events("loyalty.earned").isEmpty)
    }

    @Test func `cannot stop the others with a line that is too long`() throws {
        try self.folder.write(Self.talkative, to: "talkative.py")
        let topology = TestFolder.read(Self.example)
            .replacing("\"loyalty.py\"", with: "\"talkative.py\"")
            .replacing(
                "load: {",
                with: "limits: { attemptsMax: 3, eventBytesMax: \"64KiB\" },\n  load: {"
            )
        try self.folder.write(topology, to: "topology.json")
        let process = try self.started("topology.json")
        defer { process.destroy() }
        try Deadline.wait(seconds: 60, for: "a dead letter, and events after it") {
            let letters = try self.folder.squall("dlq list").output
            let earned = try self.events("loyalty.earned")
            return letters.contains("order-3") && letters.contains("a line of more than")
                && !earned.isEmpty
        }
        process.signal(SIGINT)
        #expect(try process.wait() == 1)
    }

    /// Answers with two million bytes on one line to order-3, and as it should to all others.
    private static let talkative = """
        import json, os, socket, time
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as mesh:
                    mesh.connect(os.environ["SQUALL_SOCKET"])
                    for line in mesh.makefile("r", encoding="utf-8"):
                        event = json.loads(line)
                        answer = {"ack": event["id"]}
                        if event["data"]["order"] == "order-3":
                            answer["emit"] = "x" * 2_000_000
                        elif event["type"] == "orders.confirmed.v1":
                            answer["emit"] = [{"type": "loyalty.earned.v1", "data": {"points": 1}}]
                        mesh.sendall(json.dumps(answer).encode() + b"\\n")
            except OSError:
                time.sleep(0.01)
        """

    private static let mistaken = """
        import json, os, socket, time
        mesh = socket.socket(socket.AF_UNIX)
        for attempt in range(500):
            try:
                mesh.connect(os.environ["SQUALL_SOCKET"])
                break
            except OSError:
                time.sleep(0.01)
        for line in mesh.makefile("r", encoding="utf-8"):
            event = json.loads(line)
            if "error" in event:
                print(event["error"], flush=True)
                continue
            mesh.sendall(b"this is no reply\\n")
            reply = {"ack": event["id"], "emit": [{"type": "loyalty.unknown.v1"}]}
            mesh.sendall(json.dumps(reply).encode() + b"\\n")
        """
}
