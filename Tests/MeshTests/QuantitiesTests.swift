import Mesh
import Testing

@Suite struct `Quantities as text` {
    @Test(
        arguments: [
            ("200ms", 200_000_000), ("1.5s", 1_500_000_000), ("0s", 0), ("7ns", 7),
            ("2m", 120_000_000_000), ("1h", 3_600_000_000_000), ("1d", 86_400_000_000_000),
            ("3us", 3_000), ("0.000000001s", 1), ("9223372036854775807ns", Int64.max),
        ]
    )
    func `durations are read exactly`(text: String, nanoseconds: Int64) throws {
        let duration = try #require(Duration(text: text))
        #expect(duration.inNanoseconds == nanoseconds)
        #expect(Duration(text: duration.text) == duration)
    }

    @Test(
        arguments: [
            "", "5", "s", "-1s", "+1s", "1 s", "1.s", ".5s", "1.5ns", "1..5s", "1e3s", "1S", "1min",
            "9223372036854775808ns", "99999999999999999999s", "300000000h", "٣s", "1m30s",
        ]
    )
    func `what is no duration is refused`(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test func `sizes are read exactly`() {
        #expect(ByteSize.bytes(text: "16MiB") == 16 << 20)
        #expect(ByteSize.bytes(text: "1.5KiB") == 1536)
        #expect(ByteSize.bytes(text: "0B") == 0)
        for text in ["16", "16MB", "0.1B", "8589934592GiB", "-1B", ""] {
            #expect(ByteSize.bytes(text: text) == nil, "\(text)")
        }
        for bytes: Int64 in [0, 1, 1023, 1024, 1536, 1 << 20, 3 << 30, .max] {
            #expect(ByteSize.bytes(text: ByteSize.text(bytes)) == bytes)
        }
    }

    @Test func `ratios are kept exactly, in lowest terms`() throws {
        let ratio = try #require(Ratio(text: "2.5%"))
        #expect([ratio.numerator, ratio.denominator] == [1, 40])
        #expect(Ratio(text: "5%") == Ratio(5, 100))
        #expect(Ratio(1, 3) == Ratio(2, 6))
        #expect(Ratio(3, 2) == nil)
        #expect(Ratio(text: "100%") == .one)
        #expect(Ratio(text: "0%") == .zero)
        #expect("\(try #require(Ratio(text: "30%"))) \(ratio)" == "30% 1/40")
        for text in ["5", "%", "101%", "-1%", "1/2", "a%", "1e1%", ""] {
            #expect(Ratio(text: text) == nil, "\(text)")
        }
    }

    @Test func `a ratio holds for its share of all draws`() throws {
        let ratio = try #require(Ratio(1, 20))
        #expect((0..<1000).count { ratio.holds(for: UInt64($0)) } == 50)
        #expect(Ratio.one.holds(for: .max))
        #expect(!Ratio.zero.holds(for: 0))
    }
}
