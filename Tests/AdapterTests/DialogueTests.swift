import Events
import Mesh
import Testing

@testable import AdapterDialogue

@Suite struct `A command behind its adapter` {
    private let first = DialogueStage.confirmed(1)

    @Test func `is an instance for as long as it is connected`() throws {
        var stage = DialogueStage()
        stage.dialogue.hubConnected()
        #expect(stage.actions.isEmpty)
        stage.take(stage.dialogue.commandConnected())
        #expect(stage.actions == [.connect])
        stage.take(stage.dialogue.commandDisconnected())
        #expect(stage.actions.last == .disconnect)
        #expect(stage.frames.first?.kind == Mesh.Frame.ToHub.hello.rawValue)
    }

    @Test func `gets an event as one CloudEvent on one line`() throws {
        var stage = try DialogueStage.ready()
        try stage.deliver(self.first, at: 0)
        let line = try #require(stage.lines.first)
        #expect(stage.lines.count == 1)
        #expect(line["specversion"] == "1.0")
        #expect(line["id"]?.string == self.first.id.description)
        #expect(line["source"] == "orders")
        #expect(line["type"] == "orders.confirmed.v1")
        #expect(line["subject"] == "order-1")
        #expect(line["time"] == "1970-01-01T00:00:01.000000Z")
        #expect(line["traceparent"]?.string == self.first.trace.traceparent)
        #expect(line["causationid"]?.string == self.first.causation.description)
        #expect(line["correlationid"] == "order-1")
        #expect(line["topic"] == "orders.ended")
        #expect(line["attempt"] == 1)
        #expect(line["data"]?["total"] == 1234)
        // CloudEvents names attributes with lower-case letters and digits.
        for member in line.object ?? [] where member.name != "data" {
            #expect(member.name.utf8.allSatisfy { (0x61...0x7A).contains($0) }, "\(member.name)")
        }
    }

    @Test func `acknowledges and emits in one commit, with ids that a repetition has again`() throws
    {
        let emit = """
            {"type": "loyalty.earned.v1", "subject": "customer-7", "data": {"points": 12}}
            """
        let reply = "{\"ack\": \"\(self.first.id)\", \"emit\": [\(emit), \(emit)]}"
        var ids: [[EventID]] = []
        for _ in 1...2 {
            var stage = try DialogueStage.ready()
            try stage.deliver(self.first, at: 0)
            stage.command(reply)
            let commits = try stage.commits()
            #expect(commits.count == 1)
            #expect(commits[0].acknowledged == [0])
            let events = commits[0].emitted.map(\.1)
            #expect(commits[0].emitted.map(\.0) == [1, 1])
            #expect(events.map(\.source) == ["loyalty", "loyalty"])
            #expect(events.map(\.subject) == ["customer-7", "customer-7"])
            #expect(events[0].data == Array("{\"points\":12}".utf8))
            #expect(events[0].causation == self.first.id)
            #expect(events[0].correlation == "order-1")
            #expect(events[0].trace == self.first.trace)
            #expect(events[0].time == Instant(nanoseconds: 5))
            ids.append(events.map(\.id))
        }
        #expect(ids[0] == ids[1])
        #expect(Set(ids[0]).count == 2)
    }

    @Test func `emits events of the shop in their binary form`() throws {
        var stage = try DialogueStage.ready()
        try stage.deliver(self.first, at: 0)
        var request = PaymentRequested()
        request.order = OrderID("order-1")
        stage.command(
            """
            {"ack": "\(self.first.id)", "emit": [
            {"type": "payments.requested.v1", "data": \(request.json.text)}]}
            """
        )
        let event = try #require(try stage.commits().first?.emitted.first).1
        #expect(event.subject == request.subject)
        #expect(try PaymentRequested(decoding: event.data) == request)
    }

    @Test func `gives an event back with its reason`() throws {
        var stage = try DialogueStage.ready()
        try stage.deliver(self.first, at: 0)
        stage.command("{\"nack\": \"\(self.first.id)\", \"error\": \"no such customer\"}")
        #expect(try stage.nacks() == ["no such customer"])
        #expect(stage.complaints.isEmpty)
        try stage.deliver(self.first, at: 0)
        #expect(stage.lines.count == 2)
    }

    @Test(arguments: [
        "", "ack", "[]", "{}", "{\"ack\": 1}", "{\"ack\": \"x\", \"nack\": \"x\"}", "\u{0}",
        "{\"ack\":",
        "{\"ack\": \"00\", \"emit\": []}", "null", "{\"nack\": \"0\"}",
    ])
    func `is told of a line that makes no sense, and goes on`(_ line: String) throws {
        var stage = try DialogueStage.ready()
        try stage.deliver(self.first, at: 0)
        stage.command(line)
        #expect(stage.complaints.count == 1)
        #expect(stage.dialogue.inHandCount == 1)
        stage.command("{\"ack\": \"\(self.first.id)\"}")
        #expect(try stage.commits().count == 1)
        #expect(stage.complaints.count == 1)
    }

    @Test(arguments: [
        ("[{\"type\": \"loyalty.lost.v1\"}]", "no topic that loyalty emits carries"),
        ("[{\"subject\": \"x\"}]", "the type is missing"),
        ("[{\"type\": \"loyalty.earned.v1\", \"id\": \"1\"}]", "'id' is not the command's to give"),
        ("[{\"type\": \"loyalty.earned.v1\", \"subject\": \"\"}]", "the subject is a text"),
        ("[{\"type\": \"loyalty.earned.v1\", \"subject\": \"a\\nb\"}]", "the subject is a text"),
        ("[7]", "expected an object"),
        ("{}", "expected a list"),
        ("[{\"type\": \"payments.requested.v1\", \"data\": {}}]", "missing"),
        ("[{\"type\": \"payments.requested.v1\", \"data\": 5}]", "expected an object"),
    ])
    func `has an event back whose emissions make no sense`(_ emit: String, _ words: String) throws {
        var stage = try DialogueStage.ready()
        try stage.deliver(self.first, at: 0)
        stage.command("{\"ack\": \"\(self.first.id)\", \"emit\": \(emit)}")
        #expect(try stage.commits().isEmpty)
        #expect(stage.complaints.count == 1)
        #expect(stage.complaints[0].contains(words), "\(stage.complaints)")
        #expect(try stage.nacks() == stage.complaints)
    }

    @Test func `has back all that it has in hand where it said too much for one line`() throws {
        var stage = try DialogueStage.ready()
        let second = DialogueStage.confirmed(2)
        try stage.deliver(self.first, at: 0)
        try stage.deliver(second, at: 1)
        stage.take(stage.dialogue.lineWasTooLong("a line of more than 5 bytes"))
        #expect(try stage.nacks() == Array(repeating: "a line of more than 5 bytes", count: 2))
        #expect(stage.dialogue.inHandCount == 0)
        stage.take(stage.dialogue.commandDisconnected())
        #expect(try stage.nacks().count == 2)
    }

    @Test func `cannot emit more than the mesh takes`() throws {
        var stage = try DialogueStage.ready(eventBytesMax: 300)
        try stage.deliver(self.first, at: 0)
        let data = String(repeating: "x", count: 300)
        stage.command(
            """
            {"ack": "\(self.first.id)", "emit": [{"type": "loyalty.earned.v1", "data": "\(data)"}]}
            """
        )
        #expect(try stage.commits().isEmpty)
        #expect(try #require(try stage.nacks().first).contains("limits.eventBytesMax"))
    }

    @Test func `gets the next event of a subject only after its answer to the one before`() throws {
        var stage = try DialogueStage.ready()
        let second = DialogueStage.confirmed(2, subject: self.first.subject)
        try stage.deliver(self.first, at: 0)
        try stage.deliver(second, at: 1)
        #expect(stage.lines.count == 1)
        stage.command("{\"ack\": \"\(self.first.id)\"}")
        #expect(stage.lines.last?["id"]?.string == second.id.description)
    }

    @Test func `answers once for an event that the hub asks about again after it was gone`() throws
    {
        var stage = try DialogueStage.ready()
        try stage.deliver(self.first, at: 0)
        stage.take(stage.dialogue.hubDisconnected())
        try stage.connectHub(epoch: 2)
        try stage.deliver(self.first, at: 0, epoch: 2)
        #expect(stage.lines.count == 1)
        stage.command("{\"ack\": \"\(self.first.id)\"}")
        #expect(try stage.commits().count == 1)
        stage.command("{\"ack\": \"\(self.first.id)\"}")
        #expect(stage.complaints.count == 1)
    }

    @Test func `may answer what is not its own any more, to no effect`() throws {
        var stage = try DialogueStage.ready()
        try stage.deliver(self.first, at: 0)
        stage.take(stage.dialogue.hubDisconnected())
        stage.command("{\"ack\": \"\(self.first.id)\"}")
        #expect(try stage.commits().isEmpty)
        #expect(stage.complaints.isEmpty)
        try stage.connectHub(epoch: 2)
        try stage.deliver(self.first, at: 0, epoch: 2)
        #expect(stage.lines.count == 2)
    }

    @Test func `starts anew with the next process`() throws {
        var stage = try DialogueStage.ready()
        try stage.deliver(self.first, at: 0)
        stage.take(stage.dialogue.commandDisconnected())
        #expect(stage.dialogue.inHandCount == 0)
        stage.take(stage.dialogue.commandConnected())
        try stage.connectHub(epoch: 2)
        try stage.deliver(self.first, at: 0, epoch: 2)
        #expect(stage.lines.count == 2)
    }

    @Test func `is handed events later by a fault that slows it down, in their order`() throws {
        var stage = try DialogueStage.ready()
        try stage.handicap(milliseconds: 10)
        try stage.deliver(self.first, at: 0)
        try stage.deliver(DialogueStage.confirmed(2), at: 1)
        #expect(stage.lines.isEmpty)
        stage.take(stage.dialogue.timePassed(now: Instant(nanoseconds: 9_999_999)))
        #expect(stage.lines.isEmpty)
        stage.take(stage.dialogue.timePassed(now: Instant(nanoseconds: 10_000_000)))
        #expect(stage.lines.map { $0["subject"] } == ["order-1"])
        stage.take(stage.dialogue.timePassed(now: Instant(nanoseconds: 20_000_000)))
        #expect(stage.lines.map { $0["subject"] } == ["order-1", "order-2"])
        #expect(stage.dialogue.nextDeadline == nil)
    }

    @Test func `sees the data of any language's events as it was emitted`() throws {
        var stage = try DialogueStage.ready()
        var event = DialogueStage.confirmed(3)
        event.type = "loyalty.lost.v1"
        event.data = Array("{\"points\": [1.5, null]}".utf8)
        try stage.deliver(event, at: 0)
        #expect(stage.lines[0]["data"] == ["points": .array([.double(1.5), .null])])
        event.id = EventID(high: 1, low: 4)
        event.subject = "other"
        event.data = [0xFF, 0x00]
        try stage.deliver(event, at: 1)
        #expect(stage.lines[1]["data"] == nil)
        #expect(stage.lines[1]["data_base64"] == "/wA=")
    }
}
