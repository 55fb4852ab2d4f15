import Glibc
import Mesh
import MeshSocket
import TestSupport
import Testing

struct FrameConnectionTests {
    let folder: TemporaryFolder
    var socket: String { self.folder.file("hub.sock") }

    init() throws { self.folder = try TemporaryFolder() }

    @Test func `frames arrive whole wherever the bytes between them are split`() async throws {
        let bodies: [[UInt8]] = [[], [7], Array(0..<200), [1, 2, 3, 4, 5]]
        let bytes = bodies.flatMap { framed($0) }
        let socket = self.socket
        let received = try await onLoop { loop in
            var received: [[[UInt8]]] = []
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                let index = received.count
                received.append([])
                connection.onFrame = { received[index].append(Array($0)) }
                connection.onClose = { _ in if index == bytes.count { loop.stop() } }
            }
            var steps: [() -> Void] = []
            var clients: [RawClient] = []
            for split in 0...bytes.count {
                clients.append(try RawClient(socket))
                let client = clients[split]
                steps.append { client.write(Array(bytes[..<split])) }
                steps.append { client.write(Array(bytes[split...])) }
                steps.append { client.close() }
            }
            loop.eachIteration(steps)
            try loop.runUntilStopped()
            listener.close()
            return received
        }
        #expect(received.count == bytes.count + 1)
        for (split, frames) in received.enumerated() {
            #expect(frames == bodies, "split at \(split)")
        }
    }

    @Test func `a frame of many reads arrives whole, and so does what follows it`() async throws {
        let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let socket = self.socket
        let received = try await onLoop { loop in
            var received: [[UInt8]] = []
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                connection.onFrame = {
                    received.append(Array($0))
                    if received.count == 4 { loop.stop() }
                }
            }
            let client = try FrameConnection.connect(to: socket, loop: loop)
            client.send(framed([1]) + framed(large) + framed([2]))
            client.send(framed([3]))
            try loop.runUntilStopped()
            listener.close()
            return received
        }
        #expect(received == [[1], large, [2], [3]])
    }

    @Test func `a hundred thousand frames go there and back in order with bounded memory`()
        async throws
    {
        let total = 100_000
        let bufferMax = 256 * 1024
        let socket = self.socket
        let (returned, most) = try await onLoop { loop in
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                connection.onFrame = { body in
                    connection.send(framed(number: number(of: body), size: body.count))
                    if connection.bufferedBytes > bufferMax { connection.pauseReading() }
                }
                connection.onDrained = { connection.resumeReading() }
            }
            let client = try FrameConnection.connect(to: socket, loop: loop)
            var next = 0
            var returned = 0
            var most = 0
            let fill = {
                while next < total, client.bufferedBytes < bufferMax {
                    client.send(framed(number: next, size: 8 + next % 300))
                    next += 1
                    most = max(most, client.bufferedBytes)
                }
            }
            client.onDrained = fill
            client.onFrame = { body in
                guard number(of: body) == returned else { return loop.stop() }
                returned += 1
                if returned == total { loop.stop() }
                fill()
            }
            fill()
            try loop.runUntilStopped()
            listener.close()
            return (returned, most)
        }
        #expect(returned == total)
        #expect(most < bufferMax + 1024)
    }

    @Test func `no frame comes during a pause and none is lost by it`() async throws {
        let total = 2_000
        let socket = self.socket
        let (numbers, duringPause) = try await onLoop { loop in
            var numbers: [Int] = []
            var paused = false
            var duringPause = 0
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                connection.onFrame = { body in
                    if paused { duringPause += 1 }
                    numbers.append(number(of: body))
                    if numbers.count == total { return loop.stop() }
                    guard numbers.count % 7 == 0 else { return }
                    paused = true
                    connection.pauseReading()
                    loop.soon {
                        paused = false
                        connection.resumeReading()
                    }
                }
            }
            let client = try FrameConnection.connect(to: socket, loop: loop)
            client.send((0..<total).flatMap { framed(number: $0, size: 100) })
            try loop.runUntilStopped()
            listener.close()
            return (numbers, duringPause)
        }
        #expect(numbers == Array(0..<total))
        #expect(duringPause == 0)
    }

    @Test(arguments: [
        ([0xff, 0xff, 0xff, 0x7f], 2_147_483_647),
        ([0xff, 0xff, 0xff, 0xff], 4_294_967_295),
        (Array("GET / HTTP/1.1\r\n\r\n".utf8), 542_393_671),
    ])
    func `a header of a monstrous frame ends that connection and no other`(
        bytes: [UInt8],
        length: Int
    ) async throws {
        let socket = self.socket
        let (reason, echoed) = try await onLoop { loop in
            var reason: CloseReason?
            var echoed: [UInt8] = []
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                connection.onFrame = { connection.send(framed(Array($0))) }
                connection.onClose = { reason = reason ?? $0 }
            }
            let neighbour = try FrameConnection.connect(to: socket, loop: loop)
            neighbour.onFrame = { echoed = Array($0) }
            let rogue = try FrameConnection.connect(to: socket, loop: loop)
            rogue.onClose = { _ in
                neighbour.onFrame = {
                    echoed = Array($0)
                    loop.stop()
                }
                neighbour.send(framed([4, 2]))
            }
            rogue.send(bytes)
            try loop.runUntilStopped()
            listener.close()
            return (reason, echoed)
        }
        #expect(reason == .frameTooLarge(length))
        #expect(echoed == [4, 2])
    }

    @Test func `a peer that vanishes in the middle of a frame is a closed connection`()
        async throws
    {
        let socket = self.socket
        let (frames, reason) = try await onLoop { loop in
            var frames = 0
            var reason: CloseReason?
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                connection.onFrame = { _ in frames += 1 }
                connection.onClose = {
                    reason = $0
                    loop.stop()
                }
            }
            let client = try RawClient(socket)
            client.write(framed([1, 2, 3]) + framed([4, 5, 6]).dropLast())
            client.close()
            try loop.runUntilStopped()
            listener.close()
            return (frames, reason)
        }
        #expect(frames == 1)
        #expect(reason == .peer)
    }

    @Test func `what a peer sent before it died is read although sending to it fails`()
        async throws
    {
        let socket = self.socket
        let (frames, reason) = try await onLoop { loop in
            var frames: [[UInt8]] = []
            var reason: CloseReason?
            var accepted: FrameConnection?
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                accepted = connection
                connection.pauseReading()
                connection.onFrame = { frames.append(Array($0)) }
                connection.onClose = {
                    reason = $0
                    loop.stop()
                }
            }
            let client = try RawClient(socket)
            client.write(framed([9]))
            client.close()
            loop.eachIteration([
                {},
                { accepted?.send(framed(Array(repeating: 0, count: 1000))) },
                { accepted?.resumeReading() },
            ])
            try loop.runUntilStopped()
            listener.close()
            return (frames, reason)
        }
        #expect(frames == [[9]])
        #expect(reason == .peer)
    }

    @Test func `a refusal that waits to be sent arrives before the connection closes`()
        async throws
    {
        let size = 4_000_000
        let socket = self.socket
        let received = try await onLoop { loop in
            var received = 0
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                connection.send(framed(Array(repeating: 1, count: size)))
                connection.closeWhenSent()
            }
            let client = try FrameConnection.connect(to: socket, loop: loop)
            client.onFrame = { received = $0.count }
            client.onClose = { _ in loop.stop() }
            try loop.runUntilStopped()
            listener.close()
            return received
        }
        #expect(received == size)
    }

    @Test func `both ends know who the other is`() async throws {
        let socket = self.socket
        let peers = try await onLoop { loop in
            var peers: [PeerCredentials] = []
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                peers.append(connection.peer)
                loop.stop()
            }
            peers.append(try FrameConnection.connect(to: socket, loop: loop).peer)
            try loop.runUntilStopped()
            listener.close()
            return peers
        }
        let own = PeerCredentials(pid: getpid(), uid: getuid(), gid: getgid())
        #expect(peers == [own, own])
    }
}
