import Mesh
import MeshSocket
import RealWorld
import TopologyFile

/// Measures how fast a hub opens a large log.
struct BenchRecovery {
    /// How large the log is, in bytes.
    let bytes: Int

    /// Writes the log with a hub and a publisher, opens it again, and returns the milliseconds.
    func run() throws(ControlError) -> Double {
        let folder = "\(CommandContext.workingFolder)/.squall/bench-log-\(FileSystem.processID)"
        defer { FileSystem.removeTree(folder) }
        do {
            FileSystem.removeTree(folder)
            try FileSystem.makeFolders(folder)
            var options = BenchMeshOptions()
            options.work = .confirm
            let topology = try MeshBench.topology(options)
            let configuration = Hub.Configuration(
                layout: topology.layout,
                tokens: ["producer/producer": "secret"],
                uid: 0,
                segmentBytesMax: topology.log.segmentBytes
            )
            try self.write(configuration, try FolderDisk(folder: folder))
            let disk = try FolderDisk(folder: folder)
            let watch = Stopwatch()
            let hub = try Hub(configuration: configuration, disk: disk, now: .zero)
            let milliseconds = watch.seconds * 1000
            guard hub.position >= UInt64(self.bytes) else {
                throw ControlError("the log was recovered up to byte \(hub.position) only")
            }
            return milliseconds
        } catch let error as ControlError {
            throw error
        } catch {
            throw ControlError("the log cannot be written or read again: \(error)")
        }
    }

    private func write(_ configuration: Hub.Configuration, _ disk: FolderDisk) throws {
        let hub = try Hub(configuration: configuration, disk: disk, now: .zero)
        let id = ConnectionID(1)
        hub.connected(id, peer: PeerCredentials(pid: 1, uid: 0, gid: 0), now: .zero)
        var client = PublisherClient(
            hello: Hello(role: .publisher, name: "producer", instance: "producer", token: "secret")
        )
        client.connected()
        let filler = [UInt8](repeating: 0x78, count: 256 - BenchEvent.headBytes)
        var sequence: Int64 = 0
        while hub.position < UInt64(self.bytes) {
            for _ in 0..<128 {
                let event = BenchEvent(
                    sequence: sequence,
                    sent: sequence,
                    scheduled: 0,
                    filler: filler
                )
                client.publish(to: BenchEvent.topic) {
                    event.envelope(source: "producer").encode(into: &$0, carrying: event)
                }
                sequence += 1
            }
            try self.pass(client.takeOutput()) { hub.received(id, frame: $0, now: .zero) }
            try hub.flush(now: .zero)
            try self.pass(hub.takeOutput(of: id)) { _ = try client.received($0) }
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
