import Events
import Mesh
import OutsideParties
import ServiceKit
import Testing

@Suite struct LedgerFileTests {
    private let entries = (1...4).map { number in
        BankLedger.Entry(
            kind: number == 3 ? .refund : .capture,
            key: "order-\"\(number)\"\n",
            amount: Money(cents: Int64(number) * 100),
            receipt: "receipt-\(number)",
            time: Instant(nanoseconds: Int64(number))
        )
    }

    private var bytes: [UInt8] { self.entries.flatMap { LedgerFile.line($0) } }

    private func disk(_ bytes: [UInt8]) -> MemoryDisk {
        MemoryDisk([BankLedger.fileName: bytes])
    }

    @Test func `a ledger reads back as it was written`() throws {
        let ledger = try BankLedger(reading: self.disk(self.bytes))
        #expect(ledger.entries == self.entries)
        #expect(ledger.captured == Money(cents: 700))
        #expect(ledger.refunded == Money(cents: 300))
        #expect(ledger.balance == Money(cents: 400))
    }

    @Test func `a line is the entry as JSON with a check behind it`() throws {
        for entry in self.entries {
            let line = String(decoding: LedgerFile.line(entry), as: UTF8.self)
            #expect(line.hasPrefix(entry.json.text.dropLast() + ",\"check\":\""))
            #expect(line.hasSuffix("\"}\n"))
        }
    }

    @Test func `a missing ledger is an empty one`() throws {
        #expect(try BankLedger(reading: MemoryDisk()).entries.isEmpty)
        #expect(try MailLedger(reading: MemoryDisk()).entries.isEmpty)
    }

    @Test func `a ledger cut short anywhere keeps every whole line and no other`() throws {
        let bytes = self.bytes
        for length in 0...bytes.count {
            let kept = Array(bytes[..<length])
            let whole = kept.count { $0 == UInt8(ascii: "\n") }
            let ledger = try BankLedger(reading: self.disk(kept))
            #expect(ledger.entries == Array(self.entries.prefix(whole)))
        }
    }

    @Test func `a bank that was cut short anywhere cuts its ledger and goes on`() throws {
        let bytes = self.bytes
        for length in 0...bytes.count {
            let disk = self.disk(Array(bytes[..<length]))
            let desk = try PartyDesk(machine: BankMachine(), disk: disk)
            let whole = try BankLedger(reading: disk).entries.count
            let request = BankRequest(kind: .charge, key: "next", amount: Money(cents: 7))
            let frame = OutsideFrame.request(id: 1, body: request.encoded())
            _ = frame.withUnsafeBytes {
                desk.received(.init(rebasing: $0[4...]), from: 1, now: .zero)
            }
            _ = try desk.flush(now: .zero)

            let ledger = try BankLedger(reading: disk)
            #expect(ledger.entries.count == whole + 1)
            #expect(ledger.entries.last?.key == "next")
        }
    }

    @Test func `a flipped bit in any line is refused by file and line`() throws {
        let bytes = self.bytes
        let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
        // The end of the last line is left out: without it, the line is one that was cut short.
        for index in bytes.indices.dropLast() {
            var damaged = bytes
            damaged[index] ^= 1 << UInt8(index % 8)
            let line = ends.count { $0 < index } + 1
            let error = #expect(throws: LedgerError.self) {
                try BankLedger(reading: self.disk(damaged))
            }
            #expect(error?.file == "bank.ledger")
            #expect(error?.line == line)
            #expect(error?.description.hasPrefix("bank.ledger:\(line): ") == true)
        }
    }

    @Test func `a line of another program is refused`() throws {
        let foreign = Array("hello\n".utf8)
        let error = #expect(throws: LedgerError.self) {
            try MailLedger(reading: MemoryDisk([MailLedger.fileName: foreign]))
        }
        #expect(error?.line == 1)
    }
}
