import Events
import Mesh
import OutsideParties
import ServiceKit
import Testing

/// A bank's desk, spoken to in frames as a socket would.
private struct Counter {
    let disk: MemoryDisk
    var desk: PartyDesk<BankMachine>

    init(_ disk: MemoryDisk = MemoryDisk(), capacity: Int = 0) throws {
        self.disk = disk
        self.desk = try PartyDesk(machine: BankMachine(), disk: disk, capacity: capacity)
    }

    mutating func send(
        _ framed: [UInt8],
        caller: Int = 1,
        at milliseconds: Int64 = 0
    ) -> [PartyOutput] {
        framed.withUnsafeBytes {
            self.desk.received(
                UnsafeRawBufferPointer(rebasing: $0[4...]),
                from: caller,
                now: Self.instant(milliseconds)
            )
        }
    }

    mutating func charge(
        _ key: String,
        id: UInt64 = 1,
        caller: Int = 1,
        at milliseconds: Int64 = 0
    ) -> [PartyOutput] {
        let request = BankRequest(kind: .charge, key: key, amount: Money(cents: 100))
        let framed = OutsideFrame.request(id: id, body: request.encoded())
        return self.send(framed, caller: caller, at: milliseconds)
    }

    mutating func flush(at milliseconds: Int64 = 0) throws -> [PartyOutput] {
        try self.desk.flush(now: Self.instant(milliseconds))
    }

    mutating func command(
        _ json: JSONValue,
        at milliseconds: Int64 = 0
    ) throws -> JSONValue {
        let body = Array(json.text.utf8)
        let framed = OutsideFrame(kind: .adminRequest, id: 9, body: body).framed
        let outputs = self.send(framed, at: milliseconds)
        let answer = try #require(try Self.answers(outputs).first)
        #expect(answer.kind == .adminAnswer && answer.id == 9)
        return try JSONValue(parsingUTF8: answer.body)
    }

    static func instant(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    static func answers(_ outputs: [PartyOutput]) throws -> [OutsideFrame] {
        try outputs.compactMap { output in
            guard case .send(_, let framed) = output else { return nil }
            return try framed.withUnsafeBytes { raw in
                try OutsideFrame.parse(UnsafeRawBufferPointer(rebasing: raw[4...]))
            }
        }
    }
}

@Suite struct PartyDeskTests {
    @Test func `a party of a capacity serves one after the other, those who left too`() throws {
        var counter = try Counter(capacity: 10)
        _ = counter.charge("order-1", id: 1, caller: 1)
        _ = counter.charge("order-2", id: 2, caller: 2)
        counter.desk.closed(1)
        #expect(try counter.flush().isEmpty)
        #expect(counter.desk.nextDeadline == Counter.instant(200))
        #expect(counter.desk.timePassed(now: Counter.instant(199)).isEmpty)
        let late = counter.desk.timePassed(now: Counter.instant(200))
        #expect(try Counter.answers(late).map(\.id) == [2])
        // What it does nothing for costs it nothing.
        _ = counter.charge("order-3", id: 3, at: 1000)
        #expect(try counter.flush(at: 1000).isEmpty)
        #expect(counter.desk.nextDeadline == Counter.instant(1100))
    }

    @Test func `no answer leaves before the ledger has it durably`() throws {
        var counter = try Counter()
        #expect(counter.charge("order-1").isEmpty)
        #expect(try BankLedger(reading: counter.disk.afterPowerCut()).entries.isEmpty)

        let answers = try Counter.answers(try counter.flush())
        #expect(answers.map(\.id) == [1])
        let ledger = try BankLedger(reading: counter.disk.afterPowerCut())
        #expect(ledger.entries.map(\.key) == ["order-1"])
    }

    @Test func `a repeated answer waits for the entry it speaks of`() throws {
        var counter = try Counter()
        _ = counter.charge("order-1", id: 1)
        #expect(counter.charge("order-1", id: 2).isEmpty)
        #expect(try Counter.answers(try counter.flush()).map(\.id) == [1, 2])
    }

    @Test func `requests that arrive together share one sync, and a status needs none`() throws {
        var counter = try Counter()
        for number in 1...50 { _ = counter.charge("order-\(number)", id: UInt64(number)) }
        #expect(try counter.flush().count == 50)
        #expect(counter.disk.syncs == 1)

        let status = BankRequest(kind: .status, key: "order-1")
        _ = counter.send(OutsideFrame.request(id: 51, body: status.encoded()))
        #expect(try counter.flush().count == 1)
        #expect(counter.disk.syncs == 1)
    }

    @Test func `a disk that fails lets no answer out`() throws {
        var counter = try Counter()
        _ = counter.charge("order-1")
        counter.disk.failure = DiskError(.full, "no space left")
        #expect(throws: DiskError.self) { try counter.flush() }
    }

    @Test func `on a full disk it hangs up and does nothing, and charges when asked again`() throws
    {
        var counter = try Counter()
        _ = counter.charge("order-0")
        _ = try counter.flush()
        // Others take everything but what the ledger has put aside.
        counter.disk.capacity = counter.disk.taken
        var charged = 0
        var isHungUp = false
        while !isHungUp {
            charged += 1
            let outputs = counter.charge("order-\(charged)")
            isHungUp = outputs.contains {
                if case .hangUp(_, let reason) = $0 { return reason.contains("disk is full") }
                return false
            }
            if !isHungUp { #expect(try Counter.answers(try counter.flush()).count == 1) }
        }
        #expect(charged > 500, "the room put aside lasted for \(charged) charges")
        #expect(try counter.flush().isEmpty)
        #expect(try counter.command(["do": "status"])["isFull"] == true)
        #expect(try BankLedger(reading: counter.disk).entries.count == charged)

        counter.disk.capacity = .max
        // A full disk is asked again after a while, not with each request.
        #expect(!counter.charge("order-\(charged)", at: 10).isEmpty)
        #expect(counter.charge("order-\(charged)", at: 300).isEmpty)
        #expect(try Counter.answers(try counter.flush(at: 300)).count == 1)
        #expect(try counter.command(["do": "status"])["isFull"] == false)
        let keys = try BankLedger(reading: counter.disk.afterPowerCut()).entries.map(\.key)
        #expect(keys == (0...charged).map { "order-\($0)" })

        try counter.desk.close()
        #expect(counter.disk.taken == counter.disk.size(of: BankLedger.fileName))
    }

    @Test func `a bank that lost its power charges nobody twice`() throws {
        var counter = try Counter()
        _ = counter.charge("order-1")
        _ = try counter.flush()
        _ = counter.charge("order-2")

        var restarted = try Counter(counter.disk.afterPowerCut())
        _ = restarted.charge("order-1", id: 3)
        _ = restarted.charge("order-2", id: 4)
        #expect(try Counter.answers(try restarted.flush()).map(\.id) == [3, 4])
        let ledger = try BankLedger(reading: restarted.disk)
        #expect(ledger.captures.map(\.key) == ["order-1", "order-2"])
    }

    @Test func `a bank that is down hangs up and does nothing`() throws {
        var counter = try Counter()
        _ = try counter.command(["do": "fault", "kind": "down"])
        guard case .hangUp(caller: 7, _)? = counter.charge("order-1", caller: 7).first else {
            Issue.record("the bank did not hang up")
            return
        }
        #expect(try counter.flush().isEmpty)
        #expect(try BankLedger(reading: counter.disk).entries.isEmpty)

        let healed = try counter.command(["do": "heal"])
        #expect(healed["healed"]?.array?.first?["bitten"] == 1)
        _ = counter.charge("order-1")
        #expect(try counter.flush().count == 1)
    }

    @Test func `a command can say all that is wrong at once, and hears how often the rest bit`()
        throws
    {
        var counter = try Counter()
        _ = try counter.command(["do": "fault", "kind": "down"])
        _ = counter.charge("order-1")
        let both: JSONValue = [["kind": "timeout-after", "every": 2], ["kind": "answers-twice"]]
        let healed = try counter.command(["do": "faults", "faults": both])
        #expect(healed["healed"]?.array?.map { $0["bitten"] } == [1])
        _ = counter.charge("order-1")
        #expect(try counter.flush().count == 2, "it is up, and answers twice")
        _ = counter.charge("order-2")
        #expect(try counter.flush().isEmpty, "each second one is not answered")
        let wrong = try counter.command(["do": "faults", "faults": [["kind": "lazy"]]])
        #expect(wrong["error"] != nil)
        #expect(counter.desk.armed.count == 2, "what cannot be read changes nothing")
        let over = try counter.command(["do": "faults", "faults": []])
        #expect(over["healed"]?.array?.map { $0["bitten"] } == [1, 2])
        #expect(counter.desk.armed.isEmpty)
    }

    @Test func `a slow bank answers in order and never early`() throws {
        var counter = try Counter()
        _ = try counter.command(["do": "fault", "kind": "slow", "by": "200ms"])
        _ = counter.charge("order-1", id: 1, at: 0)
        #expect(try counter.flush(at: 0).isEmpty)
        _ = counter.charge("order-2", id: 2, at: 50)
        #expect(try counter.flush(at: 50).isEmpty)
        #expect(counter.desk.nextDeadline == Counter.instant(200))

        #expect(counter.desk.timePassed(now: Counter.instant(199)).isEmpty)
        let first = counter.desk.timePassed(now: Counter.instant(200))
        #expect(try Counter.answers(first).map(\.id) == [1])
        let second = counter.desk.timePassed(now: Counter.instant(900))
        #expect(try Counter.answers(second).map(\.id) == [2])
        #expect(counter.desk.nextDeadline == nil)
    }

    @Test func `a bank that times out has done what it was asked`() throws {
        var counter = try Counter()
        _ = try counter.command(["do": "fault", "kind": "timeout-after"])
        _ = counter.charge("order-1")
        #expect(try counter.flush().isEmpty)
        #expect(try BankLedger(reading: counter.disk.afterPowerCut()).captures.count == 1)
    }

    @Test func `a bank that answers twice acts once`() throws {
        var counter = try Counter()
        _ = try counter.command(["do": "fault", "kind": "answers-twice"])
        _ = counter.charge("order-1", id: 5)
        #expect(try Counter.answers(try counter.flush()).map(\.id) == [5, 5])
        #expect(try BankLedger(reading: counter.disk).captures.count == 1)
    }

    @Test func `a fault bites each nth request, until its time is over, and counts`() throws {
        var counter = try Counter()
        _ = try counter.command(
            ["do": "fault", "kind": "timeout-after", "every": 3, "for": "100ms"]
        )
        for number in 1...7 { _ = counter.charge("a-\(number)", id: UInt64(number), at: 10) }
        #expect(try Counter.answers(try counter.flush(at: 10)).map(\.id) == [1, 2, 4, 5, 7])
        for number in 8...12 { _ = counter.charge("a-\(number)", at: 100) }
        #expect(try counter.flush(at: 100).count == 5)

        let status = try counter.command(["do": "status"], at: 100)
        #expect(status["faults"]?.array?.first?["bitten"] == 2)
        #expect(status["faults"]?.array?.first?["over"] == true)
        #expect(status["ledger"]?["captures"] == 12)
    }

    @Test(
        arguments: [
            ["do": "explode"], ["do": "fault"], ["do": "fault", "kind": "slow"],
            ["do": "fault", "kind": "down", "by": "5ms"],
            ["do": "fault", "kind": "down", "every": 0], ["do": "fault", "kind": "slow", "by": 5],
            ["do": "fault", "kind": "down", "for": "soon"], ["do": "fault", "kind": "Down"], [],
            "text",
        ] as [JSONValue]
    )
    func `a command that is not understood is answered with what there is`(
        command: JSONValue
    ) throws {
        var counter = try Counter()
        #expect(try counter.command(command)["error"]?.string?.isEmpty == false)
    }

    @Test(
        arguments: [
            [], [1], [1, 2, 3], [99, 0, 0, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255],
        ] as [[UInt8]]
    )
    func `a caller that talks garbage is hung up on, and nobody else`(frame: [UInt8]) throws {
        var counter = try Counter()
        _ = counter.charge("order-1", caller: 1)
        let outputs = counter.send([0, 0, 0, 0] + frame, caller: 2)
        guard case .hangUp(caller: 2, _)? = outputs.first, outputs.count == 1 else {
            Issue.record("expected to be hung up on, got \(outputs)")
            return
        }
        #expect(try counter.flush().count == 1)
    }

    @Test func `a caller that is gone gets no answer, and what it asked for is done`() throws {
        var counter = try Counter()
        _ = counter.charge("order-1", caller: 1)
        counter.desk.closed(1)
        #expect(try counter.flush().isEmpty)
        #expect(try BankLedger(reading: counter.disk).captures.count == 1)
    }

    @Test func `the mail relay sends one message for each key`() throws {
        let disk = MemoryDisk()
        let desk = try PartyDesk(machine: MailRelayMachine(), disk: disk)
        for (id, key) in ["a-confirmed", "a-confirmed", "b-cancelled"].enumerated() {
            let request = MailRequest(
                kind: .send,
                key: key,
                customer: CustomerID("c-1"),
                text: "\"Hi\"\n"
            )
            let framed = OutsideFrame.request(id: UInt64(id), body: request.encoded())
            _ = framed.withUnsafeBytes {
                desk.received(.init(rebasing: $0[4...]), from: 1, now: .zero)
            }
        }
        let answers = try Counter.answers(try desk.flush(now: .zero)).map {
            try MailAnswer(decoding: $0.body)
        }
        #expect(answers.map(\.outcome) == [.sent, .sent, .sent])
        #expect(answers[0] == answers[1] && answers[0] != answers[2])
        let ledger = try MailLedger(reading: disk)
        #expect(ledger.entries.map(\.key) == ["a-confirmed", "b-cancelled"])
        #expect(ledger.entries.first?.text == "\"Hi\"\n")
        #expect(ledger.messages["a-confirmed"]?.count == 1)
    }
}
