import Mesh
import ServiceKit
import Testing

@Suite struct MarkedIDsTests {
    @Test(arguments: 1...5) func `marks are found again, and no id is taken for another`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        let prefixes = ["order-", "", "x", "order-0", "ü-", "7"]
        let suffixes = ["", "0", "00", "a", "-"]
        var table = MarkedIDs()
        var expected: [String: UInt8] = [:]
        func id() -> String {
            prefixes[random.below(prefixes.count)]
                + suffixes[random.below(suffixes.count)]
                + (random.chance(1, in: 8) ? "" : String(random.next() >> (random.next() % 64)))
        }
        for _ in 0..<3000 {
            let (id, part) = (id(), random.below(3))
            let mark = UInt8(random.below(3) + 1)
            table.mark(id, part: part, as: mark)
            expected["\(part)|\(id)"] = mark
        }
        for _ in 0..<3000 {
            let (id, part) = (id(), random.below(4))
            #expect(table[id, part: part] == expected["\(part)|\(id)"] ?? 0)
        }
        for (name, mark) in expected {
            let split = name.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
            #expect(table[String(split[1]), part: Int(split[0]) ?? -1] == mark)
        }
        let copy = try MarkedIDs(decoding: table.encoded())
        #expect(copy == table)
        #expect(copy.encoded() == table.encoded())
    }

    @Test func `ids that count up take a few bits each`() {
        var table = MarkedIDs()
        for number in 1...100_000 { table.mark("order-\(number)", as: 1) }
        #expect(table.encoded().count < 100_000 * 3 / 8)
    }

    @Test func `a damaged table is refused`() {
        var table = MarkedIDs()
        table.mark("order-1", as: 1)
        table.mark("other", as: 2)
        let bytes = table.encoded()
        var refused = 0
        for length in bytes.indices where (try? MarkedIDs(decoding: Array(bytes[..<length]))) == nil
        { refused += 1 }
        #expect(refused > bytes.count / 2)
    }
}

@Suite struct SettingsTests {
    @Test func `settings are read with their types and units`() {
        var settings = Settings([
            "count": 7, "wait": "250ms", "share": "0.5%",
            "ratio": ["numerator": 1, "denominator": 8],
        ])
        #expect(settings.count("count", default: 1) == 7)
        #expect(settings.duration("wait", default: .zero) == .milliseconds(250))
        #expect(settings.ratio("share") == Ratio(1, 200))
        #expect(settings.ratio("none", default: .one) == .one)
        #expect(settings.ratio("ratio") == Ratio(1, 8))
        #expect(settings.count("absent", default: 3) == 3)
        #expect(settings.problems() == [])
    }

    @Test(
        arguments: [
            ["count": -1], ["count": "7"], ["wait": "7"], ["wait": "soon"], ["wait": 5],
            ["wait": "99999999999999999999s"], ["wait": "9223372036854775807d"],
            ["share": "101%"], ["share": "5"], ["share": "-1%"], ["share": 1],
            ["share": ["numerator": 2, "denominator": 1]], ["sharre": "5%"], ["share": "100.5%"],
        ] as [JSONValue]
    )
    func `a setting that is wrong is named, and the default stands`(json: JSONValue) {
        var settings = Settings(json)
        #expect(settings.count("count", default: 3, in: 0...9) == 3)
        #expect(settings.duration("wait", default: .seconds(1)) == .seconds(1))
        #expect(settings.ratio("share", default: .one) == .one)
        let name = json.object?.first?.name ?? ""
        #expect(settings.problems().count == 1)
        #expect(settings.problems().first?.hasPrefix("settings.\(name): ") == true)
    }
}
