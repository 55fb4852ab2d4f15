import Mesh
import MeshSocket
import RealWorld
import TopologyFile

/// Measures how fast a hub writes a large log and opens it again.
struct BenchRecovery {
    /// How large the log is, in bytes.
    let bytes: Int

    /// What came of a log of which little is kept.
    struct Retained {
        /// Megabytes a second, of the first and of the last tenth of the log.
        var first: Double
        var last: Double
        /// The most that lay on the disk at once.
        var diskBytesMax: Int
    }

    /// Writes the log with a hub and a publisher, opens it again, and returns the milliseconds.
    ///
    /// With checkpoints, only what follows the last one is read.
    func run(withCheckpoints: Bool) throws(ControlError) -> Double {
        try self.inFolder { folder in
            let segmentBytes = withCheckpoints ? 64 << 20 : 2 * self.bytes
            let configuration = try Self.configuration(segmentBytes, kept: nil)
            try self.write(configuration, try FolderDisk(folder: folder)) { _ in }
            let disk = try FolderDisk(folder: folder)
            let watch = Stopwatch()
            let hub = try Hub(configuration: configuration, disk: disk, now: .zero)
            let milliseconds = watch.seconds * 1000
            guard hub.position >= UInt64(self.bytes) else {
                throw ControlError("the log was recovered up to byte \(hub.position) only")
            }
            return milliseconds
        }
    }

    /// Writes the log, of which retention keeps so many bytes.
    func retain(_ bytes: Int) throws(ControlError) -> Retained {
        try self.inFolder { folder in
            let configuration = try Self.configuration(64 << 20, kept: bytes)
            let disk = try FolderDisk(folder: folder)
            var times: [Double] = []
            var diskBytesMax = 0
            let watch = Stopwatch()
            try self.write(configuration, disk) { position in
                guard Int(position) >= self.bytes / 10 * (times.count + 1) else { return }
                times.append(watch.seconds)
                let sizes = try disk.list().map { try disk.size(of: $0) }
                diskBytesMax = max(diskBytesMax, sizes.reduce(0, +))
            }
            guard times.count >= 10 else { throw ControlError("the log did not grow") }
            let megabytes = Double(self.bytes) / 10e6
            return Retained(
                first: megabytes / times[0],
                last: megabytes / (times[9] - times[8]),
                diskBytesMax: diskBytesMax
            )
        }
    }

    /// Does something in a folder of its own, which goes with it.
    private func inFolder<T>(_ body: (String) throws -> T) throws(ControlError) -> T {
        let folder = "\(CommandContext.workingFolder)/.squall/bench-log-\(FileSystem.processID)"
        defer { FileSystem.removeTree(folder) }
        do {
            FileSystem.removeTree(folder)
            try FileSystem.makeFolders(folder)
            return try body(folder)
        } catch let error as ControlError {
            throw error
        } catch {
            throw ControlError("the log cannot be written or read again: \(error)")
        }
    }

    private static func configuration(
        _ segmentBytes: Int,
        kept: Int?
    ) throws(ControlError) -> Hub.Configuration {
        var options = BenchMeshOptions()
        options.work = .confirm
        var layout = try MeshBench.topology(options).layout
        layout.retention = kept.map { MeshLayout.Retention(bytes: $0) }
        return Hub.Configuration(
            layout: layout,
            tokens: ["producer/producer": "secret"],
            uid: 0,
            segmentBytesMax: segmentBytes
        )
    }

    /// Fills a log; `progress` is told where it ends, again and again.
    private func write(
        _ configuration: Hub.Configuration,
        _ disk: FolderDisk,
        _ progress: (UInt64) throws -> Void
    ) throws {
        let hub = try Hub(configuration: configuration, disk: disk, now: .zero)
        let id = ConnectionID(1)
        hub.connected(id, peer: PeerCredentials(pid: 1, uid: 0, gid: 0), now: .zero)
        var client = PublisherClient(
            hello: Hello(role: .publisher, name: "producer", instance: "producer", token: "secret")
        )
        client.connected()
        var event = BenchEvent(filling: 256)
        while hub.position < UInt64(self.bytes) {
            for _ in 0..<128 {
                event.sent = event.sequence
                let envelope = event.envelope(source: "producer", subject: event.subject)
                client.publish(envelope, carrying: &event, to: BenchEvent.topic)
                event.sequence += 1
            }
            try self.pass(client.takeOutput()) { hub.received(id, frame: $0, now: .zero) }
            try hub.flush(now: .zero)
            try self.pass(hub.takeOutput(of: id)) { _ = try client.received($0) }
            try progress(hub.position)
        }
    }

    private func pass(
        _ frames: [UInt8],
        _ take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try frames.withUnsafeBytes { raw in
            var offset = 0
            while offset + 4 <= raw.count {
                let length = Int(raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                let body = raw[(offset + 4)..<(offset + 4 + length)]
                try take(UnsafeRawBufferPointer(rebasing: body))
                offset += 4 + length
            }
        }
    }
}
