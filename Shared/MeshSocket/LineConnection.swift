import Mesh

/// A Unix stream socket that carries lines of UTF-8 text, each ended by a newline.
///
/// Belongs to its loop's thread. An open connection keeps itself alive; callbacks are let go of
/// when it closes.
package final class LineConnection {
    /// Called for each line, without its newline (and without a carriage return before it).
    package var onLine: (String) -> Void = { _ in }
    /// Called once, when the connection is over; a line without an end is dropped.
    package var onClose: (CloseReason) -> Void = { _ in }
    /// Called when ``bufferedBytes`` has come down to 0 again.
    package var onDrained: () -> Void = {}
    /// Who is at the other end.
    package var peer: PeerCredentials { self.stream.peer }
    /// How much was sent and the kernel has not taken yet.
    package var bufferedBytes: Int { self.stream.bufferedBytes }
    package var isClosed: Bool { self.stream.isClosed }

    private let stream: SocketStream
    private let lineBytesMax: Int
    /// How much of the line under way was searched for its end already.
    private var searched = 0

    /// Connects to a listener.
    ///
    /// - Parameters:
    ///   - path: The socket, at most 107 bytes long.
    ///   - loop: Where the callbacks run.
    ///   - lineBytesMax: The longest line to take; more closes the connection.
    /// - Returns: The connection, on which nothing is read before the loop goes on.
    /// - Throws: `SystemError` that says what to do, such as where nobody listens there.
    package static func connect(
        to path: String,
        loop: EventLoop,
        lineBytesMax: Int = defaultLineBytesMax
    ) throws(SystemError) -> LineConnection {
        let fd = try UnixAddress.connect(to: path)
        return LineConnection(
            stream: try SocketStream(fd: fd, loop: loop),
            lineBytesMax: lineBytesMax
        )
    }

    package static let defaultLineBytesMax = 1024 * 1024

    init(stream: SocketStream, lineBytesMax: Int) {
        self.stream = stream
        self.lineBytesMax = lineBytesMax
        stream.parse = { self.parse($0) }
        stream.onClosed = { self.closed($0) }
        stream.onDrained = { self.onDrained() }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) -> Int {
        var start = 0
        var index = self.searched
        while index < bytes.count, !self.stream.isPaused, !self.stream.isClosed {
            guard bytes[index] == UInt8(ascii: "\n") else {
                index += 1
                guard index - start <= self.lineBytesMax else {
                    self.stream.close(.lineTooLong(self.lineBytesMax))
                    break
                }
                continue
            }
            var end = index
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            let line = String(decoding: bytes[start..<end], as: UTF8.self)
            start = index + 1
            index = start
            self.onLine(line)
        }
        self.searched = index - start
        return start
    }

    private func closed(_ reason: CloseReason) {
        let onClose = self.onClose
        self.onLine = { _ in }
        self.onClose = { _ in }
        self.onDrained = {}
        onClose(reason)
    }

    /// Sends a line; the newline is added.
    package func send(line: String) {
        var bytes = Array(line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        self.stream.send(bytes)
    }

    /// Takes no more lines, so that the other end has to wait once the kernel's buffer is full.
    package func pauseReading() {
        self.stream.pauseReading()
    }

    /// Takes lines again, those first that had come before the pause.
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
