import CSystem
import Foundation
import Mesh
import MeshSocket

struct TimedOut: Error {}

/// Runs `body` with an event loop on a thread of its own, and returns what it returned.
func onLoop<Result: Sendable>(
    _ body: @escaping @Sendable (EventLoop) throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            do {
                continuation.resume(returning: try body(EventLoop()))
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

extension EventLoop {
    /// Runs until something calls `stop()`; throws where nothing did in time.
    func runUntilStopped(within limit: Duration = .seconds(30)) throws {
        var timedOut = false
        let timer = self.timer(at: self.now() + limit) {
            timedOut = true
            self.stop()
        }
        try self.run()
        self.cancel(timer)
        if timedOut { throw TimedOut() }
    }

    /// Does one step in each of the coming iterations, after everything that was ready is handled.
    func eachIteration(_ steps: [() -> Void]) {
        var remaining = steps[...]
        self.afterEvents = {
            guard let step = remaining.popFirst() else { return }
            step()
            self.soon {}
        }
        self.soon {}
    }
}

/// A client without any manners: it writes bytes.
final class RawClient {
    let fd: Int32

    init(_ path: String) throws {
        self.fd = squall_unix_socket()
        guard squall_connect(self.fd, path, path.utf8.count) == 0 else {
            throw SystemError(call: "connect", errno: errno, path: path)
        }
    }

    func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                squall_send(self.fd, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    func close() { _ = Foundation.close(self.fd) }
}

/// Returns a body with the length in front of it.
func framed(_ body: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(body.count).littleEndian) { Array($0) } + body
}

/// Returns a frame whose body starts with a number.
func framed(number: Int, size: Int) -> [UInt8] {
    var body = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: max(8, size))
    withUnsafeBytes(of: UInt64(number).littleEndian) { body.replaceSubrange(0..<8, with: $0) }
    return framed(body)
}

func number(of body: UnsafeRawBufferPointer) -> Int {
    Int(UInt64(littleEndian: body.loadUnaligned(as: UInt64.self)))
}
