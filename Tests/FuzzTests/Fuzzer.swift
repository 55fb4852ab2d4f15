import Glibc
import Mesh

/// Makes inputs from a seed: valid ones that were damaged, and bytes at random.
///
/// Each input follows from the name of the test, the seed and its number alone. The environment
/// says how many there are (`SQUALL_FUZZ_COUNT`), from which on (`SQUALL_FUZZ_FIRST`), and under
/// which seed (`SQUALL_FUZZ_SEED`).
struct Fuzzer {
    let name: String
    private let seed: UInt64
    private let numbers: Range<Int>
    private static let usualCount = 1_000

    init(_ name: String) {
        self.name = name
        let first = Self.variable("SQUALL_FUZZ_FIRST") ?? 0
        let count = Self.variable("SQUALL_FUZZ_COUNT") ?? Self.usualCount
        self.numbers = first..<(first + count)
        self.seed = StableHash.of(name, seed: UInt64(Self.variable("SQUALL_FUZZ_SEED") ?? 1))
    }

    /// Whether this is a long run, which says how far it is.
    static var isLong: Bool { Self.variable("SQUALL_FUZZ_COUNT") != nil }

    private static func variable(_ name: String) -> Int? {
        getenv(name).flatMap { Int(String(cString: $0)) }
    }

    /// Calls `body` with each input's own source of randomness.
    func run(_ body: (inout SeededRandom) throws -> Void) rethrows {
        for number in self.numbers {
            if Self.isLong, number % 50_000 == 0 { self.say("\(self.name): \(number)") }
            var random = SeededRandom(seed: StableHash.combine(self.seed, UInt64(number)))
            try body(&random)
        }
        if Self.isLong { self.say("\(self.name): \(self.numbers.upperBound), done") }
    }

    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}

extension SeededRandom {
    /// Returns a damaged element of `corpus`, or bytes at random.
    mutating func input(from corpus: [[UInt8]], bytesMax: Int = 8192) -> [UInt8] {
        if self.chance(1, in: 16) { return self.bytes(self.below(64)) }
        var bytes = corpus[self.below(corpus.count)]
        for _ in 0...self.below(4) { self.damage(&bytes, corpus) }
        return Array(bytes.prefix(bytesMax))
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: self.next()) }
    }

    private mutating func damage(_ bytes: inout [UInt8], _ corpus: [[UInt8]]) {
        guard !bytes.isEmpty else {
            bytes = self.bytes(1 + self.below(8))
            return
        }
        let place = self.below(bytes.count)
        let end = min(bytes.count, place + 1 + self.below(16))
        switch self.below(10) {
        case 0: bytes[place] ^= 1 << UInt8(self.below(8))
        case 1:
            bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x22, 0x5C, 0x7B, 0x5B][self.below(10)]
        case 2: bytes[place] = UInt8(truncatingIfNeeded: self.next())
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 5: bytes.insert(contentsOf: self.bytes(1 + self.below(8)), at: place)
        case 6: bytes.removeSubrange(place...)
        case 7:
            // The largest numbers in the forms that numbers have here.
            let extremes: [[UInt8]] = [
                [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
                [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF],
                Array("-9223372036854775809".utf8), Array("1e999".utf8),
            ]
            let extreme = extremes[self.below(extremes.count)]
            bytes.replaceSubrange(place..<min(bytes.count, place + extreme.count), with: extreme)

        case 8:
            let other = corpus[self.below(corpus.count)]
            guard !other.isEmpty else { return }
            let start = self.below(other.count)
            let stop = min(other.count, start + 1 + self.below(64))
            bytes.insert(contentsOf: other[start..<stop], at: place)

        default:
            let other = corpus[self.below(corpus.count)]
            guard !other.isEmpty else { return }
            bytes = Array(bytes[..<place]) + other[self.below(other.count)...]
        }
    }
}
