import Testing

@testable import Mesh

@Test func `a subject always lands in the same partition`() {
    let partition = StableHash.partition(of: "order-17", among: 4)
    #expect(partition == StableHash.partition(of: "order-17", among: 4))
}

@Test func `a number is read back as it was written, whatever follows it`() {
    let numbers = (0..<64).flatMap { bit in [(1 << bit) - 1, 1 << bit] as [UInt64] } + [.max]
    for number in numbers {
        for rest in 0...9 {
            var writer = WireWriter([0xFF])
            writer.varint(number)
            let end = writer.bytes.count
            writer.bytes += [UInt8](repeating: 0xFF, count: rest)
            let (read, offset) = writer.bytes.withUnsafeBytes { raw in
                var reader = WireReader(raw, offset: 1)
                return (try? reader.varint(), reader.offset)
            }
            #expect(read == number)
            #expect(offset == end)
        }
        for cut in 1..<10 {
            var writer = WireWriter()
            writer.varint(number)
            guard cut < writer.bytes.count else { break }
            let read = writer.bytes[..<cut].withUnsafeBytes { raw in
                var reader = WireReader(raw)
                return try? reader.varint()
            }
            #expect(read == nil)
        }
    }
}

/// A value with bytes that is read into the memory of the one before.
private struct Parcel: WireCodable {
    var weight: Int64 = 0
    var bytes: [UInt8] = []

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("weight", &self.weight)
        try coder.field("bytes", &self.bytes)
    }
}

@Test func `bytes that are read into the memory of others leave copies of those alone`() throws {
    var parcel = Parcel()
    var kept: [[UInt8]] = []
    let counts = [0, 3, 3, 0, 200, 200, 3, 20_000, 20_000]
    for (number, count) in counts.enumerated() {
        let bytes = [UInt8](repeating: UInt8(number), count: count)
        let weight = Int64(1) << Int64(number * 7) - 1
        try Parcel(weight: weight, bytes: bytes).encoded().withUnsafeBytes { raw in
            try Result { () throws(WireError) in
                var coder = BinaryDecoder(reader: WireReader(raw))
                try parcel.fields(&coder)
            }.get()
        }
        #expect(parcel.weight == weight)
        kept.append(parcel.bytes)
    }
    for (number, count) in counts.enumerated() {
        #expect(kept[number] == [UInt8](repeating: UInt8(number), count: count))
    }
}

@Test(arguments: [1, 7, 8, 16, 17, 47, 48, 49, 63, 64, 96, 97, 150])
func `a hash tells bytes from any that differ in a bit, or in the order of two blocks`(
    _ count: Int
) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
    var seen: Set<UInt64> = []
    var others = [bytes]
    for bit in 0..<count * 8 {
        others.append(bytes)
        others[others.count - 1][bit / 8] ^= 1 << (bit % 8)
    }
    for left in 0..<count / 16 {
        for right in left + 1..<max(left + 1, count / 16) {
            others.append(bytes)
            for place in 0..<16 {
                others[others.count - 1].swapAt(left * 16 + place, right * 16 + place)
            }
        }
    }
    for other in others {
        #expect(seen.insert(other.withUnsafeBytes { StableHash.of($0) }).inserted)
    }
}

@Test func `an event is read the same, whichever one was read before it`() throws {
    let long = String(repeating: "long", count: 60)
    let texts = ["", "a", "\0", "order-17", "órder-17", "order-17-17", long, "longlong\(long)"]
    var events: [EventEnvelope] = []
    for (number, subject) in texts.enumerated() {
        for correlation in texts {
            let id = EventID(high: 1, low: UInt64(number))
            let journey = TraceContext(traceHigh: 2, traceLow: 3, span: 4)
            events.append(
                EventEnvelope(
                    id: id,
                    source: texts[(number + 1) % texts.count],
                    type: "t\(number / 2)",
                    subject: subject,
                    time: Instant(nanoseconds: Int64(number)),
                    trace: number % 3 == 0 ? TraceContext(startedBy: id) : journey,
                    causation: number % 2 == 0 ? .none : EventID(high: 5, low: 6),
                    correlation: correlation,
                    data: [UInt8](repeating: 9, count: number * 100)
                )
            )
        }
    }
    var recent = RecentTexts(keeps: true)
    var (reused, itsTexts) = (events[0], KnownTexts())
    for before in events {
        for event in events {
            for item in [before, event] {
                let read = try item.encoded().withUnsafeBytes { raw in
                    try Result { () throws(WireError) in
                        let data = try reused.become(raw, texts: &itsTexts, like: &recent)
                        #expect(reused.data.isEmpty)
                        reused.data = Array(data)
                        return try EventEnvelope(decoding: raw, like: &recent)
                    }.get()
                }
                #expect(read == item)
                #expect(reused == item)
            }
        }
    }
}
