import Events
import Mesh
import OutsideParties
import Testing

@Suite struct BankMachineTests {
    private let now = Instant(nanoseconds: 1_000)

    private func ask(
        _ bank: inout BankMachine,
        _ kind: BankRequest.Kind,
        _ key: String,
        _ cents: Int64 = 0
    ) throws -> (answer: BankAnswer, entries: [BankLedger.Entry]) {
        let request = BankRequest(kind: kind, key: key, amount: Money(cents: cents))
        let result = try bank.answer(request.encoded(), now: self.now)
        return (try BankAnswer(decoding: result.answer), result.entries)
    }

    @Test func `a key is charged once, however often it is asked for`() throws {
        var bank = BankMachine()
        let first = try self.ask(&bank, .charge, "order-1", 1250)
        let second = try self.ask(&bank, .charge, "order-1", 1250)
        let other = try self.ask(&bank, .charge, "order-1", 9999)

        #expect(first.answer.outcome == .captured)
        #expect(first.answer.amount == Money(cents: 1250))
        #expect(!first.answer.receipt.isEmpty)
        #expect(first.entries.map(\.kind) == [.capture])
        #expect(second.answer == first.answer)
        #expect(other.answer == first.answer)
        #expect(second.entries.isEmpty && other.entries.isEmpty)
    }

    @Test func `a refund gives back what was taken, once`() throws {
        var bank = BankMachine()
        _ = try self.ask(&bank, .charge, "order-1", 1250)
        let first = try self.ask(&bank, .refund, "order-1")
        let second = try self.ask(&bank, .refund, "order-1")

        #expect(first.answer.outcome == .refunded)
        #expect(first.answer.amount == Money(cents: 1250))
        #expect(first.entries.map(\.kind) == [.refund])
        #expect(second.answer == first.answer)
        #expect(second.entries.isEmpty)
        #expect(try self.ask(&bank, .charge, "order-1", 1250).entries.isEmpty)
    }

    @Test func `a refund that overtakes its charge voids the key`() throws {
        var bank = BankMachine()
        let refund = try self.ask(&bank, .refund, "order-1")
        let charge = try self.ask(&bank, .charge, "order-1", 1250)

        #expect(refund.answer.outcome == .voided)
        #expect(refund.answer.amount == .zero)
        #expect(refund.entries.map(\.kind) == [.void])
        #expect(charge.answer.outcome == .voided)
        #expect(charge.entries.isEmpty)
    }

    @Test func `which keys are declined follows from the keys alone`() throws {
        let declines = try #require(Ratio(text: "5%"))
        var bank = BankMachine(declines: declines)
        var again = BankMachine(declines: declines)
        var declined = 0
        for number in 1...10_000 {
            let first = try self.ask(&bank, .charge, "order-\(number)", 100)
            let second = try self.ask(&again, .charge, "order-\(number)", 100)
            #expect(first.answer == second.answer)
            if first.answer.outcome == .declined { declined += 1 }
        }
        #expect((400...600).contains(declined))
    }

    @Test func `a declined key stays declined, and refunding it moves nothing`() throws {
        var bank = BankMachine(declines: .one)
        let charge = try self.ask(&bank, .charge, "order-1", 100)
        let refund = try self.ask(&bank, .refund, "order-1")

        #expect(charge.answer.outcome == .declined)
        #expect(charge.entries.map(\.kind) == [.decline])
        #expect(refund.answer.outcome == .declined)
        #expect(refund.entries.isEmpty)
    }

    @Test(arguments: [0, -100]) func `an amount that is no charge is declined`(
        cents: Int64
    ) throws {
        var bank = BankMachine()
        #expect(try self.ask(&bank, .charge, "order-1", cents).answer.outcome == .declined)
    }

    @Test func `a status changes nothing`() throws {
        var bank = BankMachine()
        let before = try self.ask(&bank, .status, "order-1")
        _ = try self.ask(&bank, .charge, "order-1", 100)
        let after = try self.ask(&bank, .status, "order-1")

        #expect(before.answer.outcome == .unknown)
        #expect(before.entries.isEmpty && after.entries.isEmpty)
        #expect(after.answer.outcome == .captured)
    }

    @Test func `bytes that are no request are refused and change nothing`() throws {
        var bank = BankMachine()
        let request = BankRequest(kind: .charge, key: "order-1", amount: Money(cents: 5))
        let bytes = request.encoded()
        // A decoder takes a request that ends behind a field; it then lacks a key or an amount.
        for length in bytes.indices {
            if let result = try? bank.answer(Array(bytes[..<length]), now: self.now) {
                #expect(try BankAnswer(decoding: result.answer).outcome != .captured)
            }
        }
        #expect(throws: WireError.self) { try bank.answer([], now: now) }
        #expect(throws: WireError.self) {
            try bank.answer([UInt8](repeating: 0xFF, count: 40), now: now)
        }
    }

    @Test(arguments: 1...20) func `whatever is asked, no key pays twice or gets back too much`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        let declines = try #require(Ratio(text: "20%"))
        var bank = BankMachine(declines: declines)
        var entries: [BankLedger.Entry] = []
        for _ in 0..<300 {
            let key = "order-\(random.below(12))"
            let kind = BankRequest.Kind.allCases[random.below(3)]
            entries += try self.ask(&bank, kind, key, Int64(random.below(500) + 1)).entries
        }
        var recovered = BankMachine(declines: declines)
        for entry in entries { recovered.recovered(entry) }

        for number in 0..<12 {
            let key = "order-\(number)"
            let ofKey = entries.filter { $0.key == key }
            let captures = ofKey.filter { $0.kind == .capture }
            let refunds = ofKey.filter { $0.kind == .refund }
            #expect(captures.count <= 1 && refunds.count <= captures.count)
            #expect(refunds.allSatisfy { $0.amount == captures.first?.amount })
            let known = try self.ask(&bank, .status, key).answer
            #expect(try self.ask(&recovered, .status, key).answer == known)
        }
        #expect(recovered.summary == bank.summary)
    }
}
