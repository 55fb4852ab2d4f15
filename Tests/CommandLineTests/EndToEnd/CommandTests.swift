import Glibc
import Mesh
import Testing

/// Commands as a user types them, each in a process of its own.
@Suite(.serialized) struct `Commands` {
    private let folder: TestFolder

    init() throws { self.folder = try TestFolder() }

    @Test func `end with code 2 and a hint when they make no sense`() throws {
        for line in [
            "kil", "up --hsitory x", "bench nowhere", "up nowhere.json", "up --flaw oversel",
        ] {
            let result = try self.folder.squall(line)
            #expect(result.code == 2, "\(line)")
            #expect(result.output.isEmpty, "\(line)")
            #expect(result.errors.contains("squall: "), "\(line)")
            #expect(result.errors.contains("try: squall "), "\(line)")
        }
        #expect(try self.folder.squall("up --flaw oversel").errors.contains("did you mean"))
    }

    @Test func `name the place of every mistake in a topology file`() throws {
        try self.folder.write("{\n  name: \"x\",\n  servces: {},\n}\n", to: "bad.json")
        for line in ["up bad.json", "lint bad.json", "graph bad.json"] {
            let result = try self.folder.squall(line)
            #expect(result.code == 2, "\(line)")
            let text = result.output + result.errors
            #expect(text.contains("bad.json:3:3: servces: unknown key; did you mean"), "\(text)")
            #expect(text.contains("the key 'topics' is missing"), "\(text)")
        }
    }

    @Test func `end with code 3 and say how to start when nothing runs`() throws {
        for line in ["ps", "kill payments", "heal", "dlq list", "load x2"] {
            let result = try self.folder.squall(line)
            #expect(result.code == 3, "\(line)")
            #expect(result.errors.contains("no topology is running here"), "\(line)")
            #expect(result.errors.contains("try: squall up"), "\(line)")
        }
        #expect(try self.folder.squall("check").code == 3)
    }

    @Test func `write no escape byte unless asked to or on a terminal`() throws {
        #expect(try !self.folder.squall("help").output.contains("\u{1B}"))
        #expect(try self.folder.squall("help up --color always").code == 0)
        #expect(try self.folder.squall("help up --color=always").output.contains("\u{1B}"))
        let never = try self.folder.squall("help up --color never", environment: ["TERM=xterm"])
        #expect(!never.output.contains("\u{1B}"))
    }

    @Test func `check and draw the shop that comes with squall`() throws {
        #expect(try self.folder.squall("lint").output.contains("nothing wrong"))
        #expect(try self.folder.squall("graph").output.contains("shop: 5 services"))
        #expect(try self.folder.squall("graph --format dot").output.hasPrefix("digraph"))
        #expect(try self.folder.squall("graph --format mermaid").output.hasPrefix("flowchart"))
    }

    @Test func `read a run that is over: its events, one order's journey, logs, list`() throws {
        let up = try self.folder.squall("up --for 1s --rate 50 --quiet")
        #expect(up.code == 0, "\(up.errors)")
        let placed = try self.folder.squall("events --topic orders.placed --json --last 3").output
        let events = try placed.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        #expect(events.count == 3)
        for event in events {
            #expect(event["specversion"]?.string == "1.0")
            #expect(event["type"]?.string == "orders.placed.v1")
            #expect(event["data"]?["order"] == event["subject"])
        }
        let journey = try self.folder.squall("trace order-1").output
        #expect(journey.contains("orders.placed.v1"))
        #expect(journey.contains("notifications.sent.v1"))
        let unknown = try self.folder.squall("trace order-0")
        #expect(unknown.code == 2)
        #expect(unknown.errors.contains("there is no order 'order-0'"))
        let topic = try self.folder.squall("events --topic orders.plced")
        #expect(topic.errors.contains("did you mean 'orders.placed'?"))
        #expect(try self.folder.squall("logs orders").output.contains("partition 0 is ready"))
        #expect(try self.folder.squall("logs order").errors.contains("did you mean 'orders'?"))
        #expect(try self.folder.squall("runs").output.contains("passed"))
    }

    @Test func `see a flipped byte in the log of a run, and say where`() throws {
        let up = try self.folder.squall("up --for 1s --rate 50 --quiet")
        #expect(up.code == 0, "\(up.errors)")
        let log = "\(self.folder.run)/log/00000000000000000000.log"
        let file = try #require(fopen(log, "r+"))
        fseek(file, 5_000, SEEK_SET)
        let byte = fgetc(file)
        fseek(file, 5_000, SEEK_SET)
        fputc(byte ^ 1, file)
        fclose(file)
        let check = try self.folder.squall("check")
        #expect(check.code == 3)
        #expect(check.errors.contains("00000000000000000000.log"), "\(check.errors)")
    }
}
