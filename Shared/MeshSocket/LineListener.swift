/// A listening Unix socket whose connections carry lines of text.
package final class LineListener {
    /// Told of callers that could not be served, and why.
    package var onTrouble: (SystemError) -> Void {
        get { self.listener.onTrouble }
        set { self.listener.onTrouble = newValue }
    }

    private let listener: SocketListener

    /// Listens at `path`; a socket file on which nobody answers is replaced.
    ///
    /// - Parameters:
    ///   - path: The socket, at most 107 bytes long.
    ///   - loop: Where the callbacks run.
    ///   - mode: The permissions of the socket file.
    ///   - connectionsMax: How many connections may be open; further callers are hung up on.
    ///   - lineBytesMax: The longest line to take; more closes the connection.
    ///   - onAccept: Called for each connection, to set its callbacks.
    /// - Throws: `SystemError` that says what to do, such as where another process listens there.
    package init(
        path: String,
        loop: EventLoop,
        mode: UInt32 = 0o600,
        connectionsMax: Int = 256,
        lineBytesMax: Int = LineConnection.defaultLineBytesMax,
        onAccept: @escaping (LineConnection) -> Void
    ) throws(SystemError) {
        self.listener = try SocketListener(
            path: path,
            loop: loop,
            mode: mode,
            connectionsMax: connectionsMax
        ) { stream in
            onAccept(LineConnection(stream: stream, lineBytesMax: lineBytesMax))
        }
    }

    /// Stops listening and deletes the socket file; open connections stay open.
    package func close() {
        self.listener.close()
    }
}
