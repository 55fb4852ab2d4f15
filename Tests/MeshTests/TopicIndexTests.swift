import Testing

@testable import Mesh

/// The hub's index of a topic, which must stay small however long the log becomes.
@Suite struct `The index of a topic` {
    /// Where the record of each event lies in these tests.
    private func record(_ offset: UInt64) -> UInt64 { 16 + offset * 100 }

    private func grown(to count: UInt64, _ index: TopicPartition = .init()) -> TopicPartition {
        var index = index
        for offset in index.end..<count {
            let record = self.record(offset)
            index.append(EventPlace(position: record + 12, count: 80), record: record)
        }
        return index
    }

    private func encoded(_ index: TopicPartition) -> [UInt8] {
        var writer = WireWriter()
        index.encode(into: &writer)
        return writer.bytes
    }

    private func decoded(_ bytes: [UInt8]) throws -> TopicPartition {
        try bytes.withUnsafeBytes { raw in
            var reader = WireReader(raw)
            return try TopicPartition(from: &reader)
        }
    }

    @Test func `finds every event from not far before it, and does not grow for ever`() throws {
        let index = self.grown(to: 600_000)
        #expect(self.encoded(index).count < 8192)
        #expect(self.encoded(self.grown(to: 900_000, index)).count < 8192)
        for index in [index, try self.decoded(self.encoded(index))] {
            for offset: UInt64 in [0, 1, 63, 64, 65, 127, 128, 4095, 262_144, 311_111, 599_999] {
                let start = try #require(index.scanStart(for: offset))
                #expect(start <= self.record(offset))
                #expect(start + 1024 * 100 > self.record(offset), "\(offset)")
            }
            #expect(index.start == 0)
        }
    }

    @Test func `goes on at the same places after its hub was started again`() throws {
        let whole = self.grown(to: 500_000)
        let half = try self.decoded(self.encoded(self.grown(to: 270_001)))
        #expect(self.encoded(self.grown(to: 500_000, half)) == self.encoded(whole))
    }

    @Test func `begins where retention has cut, also where that is everything`() throws {
        var index = self.grown(to: 1000)
        index.removed(before: self.record(100))
        #expect(index.start == 128)
        #expect(index.scanStart(for: 128) == self.record(128))
        index.removed(before: self.record(2000))
        #expect(index.start == 1000)
        #expect(index.scanStart(for: 999) == nil)
        index = self.grown(to: 1001, index)
        #expect(index.start == 1000)
        #expect(index.scanStart(for: 1000) == self.record(1000))
        #expect(self.grown(to: 1100, index).scanStart(for: 1064) == self.record(1064))
    }

    @Test func `keeps the places that a reader is about to ask for, within bounds`() {
        var index = self.grown(to: 5000)
        #expect(index.isCrowded)
        index.forget(before: 1000)
        #expect(index.place(of: 1000)?.position == self.record(1000) + 12)
        #expect(index.place(of: 999) == nil)
        #expect(!index.isCrowded)
        index = self.grown(to: 50_000, index)
        #expect(index.isCrowded)
        index.forget(before: 1000)
        #expect(index.place(of: 50_000 - 8192) != nil)
        #expect(index.place(of: 50_000 - 8193) == nil)
        index.forget(before: .max)
        #expect(index.place(of: 50_000 - 1024) != nil)
        #expect(index.place(of: 50_000 - 1025) == nil)
    }
}
