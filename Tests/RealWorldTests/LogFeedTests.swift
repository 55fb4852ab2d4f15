import Chaos
import Glibc
import Mesh
import MeshSocket
import Testing

@testable import RealWorld

@Suite("What is read of a log while it grows") struct LogFeedTests {
    private static let layout = MeshLayout(
        topics: [.init(name: "orders", partitions: 1)],
        services: [.init(name: "worker", consumes: ["orders"], emits: [], partitions: 1)],
        publishers: [.init(name: "shoppers", emits: ["orders"])],
        links: [.init(from: "shoppers", to: "worker")]
    )

    private struct Blind: PlaceVisitor {
        mutating func record(at position: UInt64) {}
        mutating func recorded(at time: Instant) {}
        mutating func event(
            topic: Int,
            partition: Int,
            offset: UInt64,
            envelope: UnsafeRawBufferPointer,
            at: Int
        ) {}
    }

    private static func append(_ log: Log, _ count: Int) throws {
        for number in 1...count {
            log.append { writer, _ in
                writer.record(.published, at: Instant(nanoseconds: Int64(number)))
                writer.text("shoppers")
                writer.varint(UInt64(number))
                writer.varint(0)
            }
            try log.commit()
        }
    }

    @Test func `nothing is known of a run of which retention removed what was not read`() throws {
        let folder = "/tmp/squall-feed-\(getpid())"
        let disk = try FolderDisk(folder: folder)
        defer {
            for file in (try? disk.list()) ?? [] { try? disk.remove(file) }
            rmdir(folder)
        }
        var blind = Blind()
        let log = try Log(disk: disk, segmentBytesMax: 4096, recoveringInto: &blind)
        let feed = try LogFeed(layout: Self.layout, folder: folder)
        var overtaken = 0
        feed.onOvertaken = { overtaken += 1 }
        try Self.append(log, 1)
        try feed.readAll()
        #expect(!feed.isOvertaken)

        try Self.append(log, 400)
        #expect(try log.removeSegments { _ in true } ?? 0 > feed.position)
        try feed.readAll()
        #expect(feed.position == log.durable)
        #expect(overtaken == 1)
        let verdict = feed.verdict(Ledgers())
        #expect(verdict.outcome == .unknown)
        #expect(verdict.checks.allSatisfy { $0.finding.outcome == .unknown })
    }
}
