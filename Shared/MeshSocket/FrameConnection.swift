import Mesh

/// A Unix stream socket that carries frames: four bytes of length, little-endian, and the body.
///
/// Belongs to its loop's thread. An open connection keeps itself alive; callbacks are let go of
/// when it closes.
package final class FrameConnection {
    /// Called for each frame with its body, which is valid during the call only.
    package var onFrame: (UnsafeRawBufferPointer) -> Void = { _ in }
    /// Called once, when the connection is over; half a frame that came before is dropped.
    package var onClose: (CloseReason) -> Void = { _ in }
    /// Called when ``bufferedBytes`` has come down to 0 again.
    package var onDrained: () -> Void = {}
    /// Who is at the other end.
    package var peer: PeerCredentials { self.stream.peer }
    /// How much was sent and the kernel has not taken yet.
    package var bufferedBytes: Int { self.stream.bufferedBytes }
    package var isClosed: Bool { self.stream.isClosed }

    private let stream: SocketStream
    private let frameBytesMax: Int

    /// Connects to a listener; its answer to whether it likes the caller comes as frames.
    ///
    /// - Parameters:
    ///   - path: The socket, at most 107 bytes long.
    ///   - loop: Where the callbacks run.
    ///   - frameBytesMax: The longest body to take; more closes the connection.
    /// - Returns: The connection, on which nothing is read before the loop goes on.
    /// - Throws: `SystemError` that says what to do, such as where nobody listens there.
    package static func connect(
        to path: String,
        loop: EventLoop,
        frameBytesMax: Int = defaultFrameBytesMax
    ) throws(SystemError) -> FrameConnection {
        let fd = try UnixAddress.connect(to: path)
        return FrameConnection(
            stream: try SocketStream(fd: fd, loop: loop),
            frameBytesMax: frameBytesMax
        )
    }

    package static let defaultFrameBytesMax = 16 * 1024 * 1024

    init(stream: SocketStream, frameBytesMax: Int) {
        self.stream = stream
        self.frameBytesMax = frameBytesMax
        stream.parse = { self.parse($0) }
        stream.onClosed = { self.closed($0) }
        stream.onDrained = { self.onDrained() }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        while bytes.count - offset >= 4, !self.stream.isPaused, !self.stream.isClosed {
            let length = Int(
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            )
            guard length <= self.frameBytesMax else {
                self.stream.close(.frameTooLarge(length))
                break
            }
            guard bytes.count - offset - 4 >= length else { break }
            let body = bytes[offset + 4..<offset + 4 + length]
            offset += 4 + length
            self.onFrame(UnsafeRawBufferPointer(rebasing: body))
        }
        return offset
    }

    private func closed(_ reason: CloseReason) {
        let onClose = self.onClose
        self.onFrame = { _ in }
        self.onClose = { _ in }
        self.onDrained = {}
        onClose(reason)
    }

    /// Sends one or more complete frames, length prefixes already in them.
    ///
    /// What the kernel does not take at once waits, in order; a caller that must not fill memory
    /// watches ``bufferedBytes``. On a closed connection nothing happens.
    package func send(_ framed: [UInt8]) {
        self.stream.send(framed)
    }

    /// Sends like ``send(_:)`` and empties the array, of which the memory can be used again.
    package func send(emptying framed: inout [UInt8]) {
        self.stream.send(emptying: &framed)
    }

    /// Takes no more frames, so that the other end has to wait once the kernel's buffer is full.
    package func pauseReading() {
        self.stream.pauseReading()
    }

    /// Takes frames again, those first that had come before the pause.
    package func resumeReading() {
        self.stream.resumeReading()
    }

    /// Closes at once; what waits to be sent is lost.
    package func close() {
        self.stream.close(.local)
    }

    /// Closes as soon as everything is sent; takes and sends nothing from now on.
    package func closeWhenSent() {
        self.stream.closeWhenSent()
    }
}
