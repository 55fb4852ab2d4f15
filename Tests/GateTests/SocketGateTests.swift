import Mesh
import MeshSocket
import TestSupport
import Testing

/// What it costs to carry frames over a socket; see ``MeshGateTests``.
@Suite("Gates of the sockets", .enabled(if: Cost.isCounted))
struct SocketGateTests {
    private static let rounds = 20

    @Test(arguments: [(frames: 1, bytes: 256), (20, 256), (20, 4096), (1, 65_536)])
    func `what is sent at once takes one call to send, to hear of and to take, and no copy`(
        frames: Int,
        bytes: Int
    ) throws {
        let cost = try self.cost(ofFrames: frames, bytes: bytes)
        for kind in [Cost.Kind.sends, .waits, .receives] {
            cost.expect(kind, of: "\(frames) frames at once", Self.rounds, atMost: 1)
        }
        cost.expect(.controls, of: "\(Self.rounds) rounds", atMost: 0)
        cost.expect(.copiedBytes, of: "a frame", Self.rounds * frames, atMost: 0)
        cost.expect(.allocations, of: "a turn of the loop", Self.rounds, atMost: 2)
    }

    @Test func `what the kernel takes in pieces is copied no more often than it was`() throws {
        let bytes = 4 << 20
        let cost = try self.cost(ofFrames: 1, bytes: bytes)
        cost.expect(.copiedBytes, of: "a byte", Self.rounds * bytes, atMost: 3.1)
    }

    /// Returns what it costs to send frames in one piece and to take them at the other end of the
    /// same loop, so many times.
    private func cost(ofFrames count: Int, bytes: Int) throws -> Cost {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        var received = 0
        let listener = try FrameListener(path: folder.file("hub.sock"), loop: loop) { connection in
            connection.onFrame = { received += $0.count }
        }
        defer { listener.close() }
        let client = try FrameConnection.connect(to: folder.file("hub.sock"), loop: loop)
        defer { client.close() }
        let frame =
            withUnsafeBytes(of: UInt32(bytes).littleEndian) { Array($0) }
            + [UInt8](repeating: 1, count: bytes)
        let frames = Array(repeatElement(frame, count: count).joined())

        var left = 1
        var turns = 0
        loop.afterEvents = {
            turns += 1
            // The loop never blocks, so that frames that are lost cannot halt the test.
            Cost.uncounted { loop.soon {} }
            if turns == 10_000 { loop.stop() }
            guard received == count * bytes else { return }
            received = 0
            left -= 1
            if left == 0 { loop.stop() } else { client.send(frames) }
        }
        // The first time, memory is made ready that serves from then on.
        client.send(frames)
        try loop.run()
        left = Self.rounds
        var cost = Cost()
        try cost.count {
            client.send(frames)
            try loop.run()
        }
        #expect(left == 0, "\(left) of \(Self.rounds) times, frames were lost")
        return cost
    }
}
