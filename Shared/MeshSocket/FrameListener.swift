/// A listening Unix socket whose connections carry frames.
package final class FrameListener {
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
    ///   - frameBytesMax: The longest body to take; more closes the connection.
    ///   - onAccept: Called for each connection, to set its callbacks.
    /// - Throws: `SystemError` that says what to do, such as where another process listens there.
    package init(
        path: String,
        loop: EventLoop,
        mode: UInt32 = 0o600,
        connectionsMax: Int = 1024,
        frameBytesMax: Int = FrameConnection.defaultFrameBytesMax,
        onAccept: @escaping (FrameConnection) -> Void
    ) throws(SystemError) {
        self.listener = try SocketListener(
            path: path,
            loop: loop,
            mode: mode,
            connectionsMax: connectionsMax
        ) { stream in
            onAccept(FrameConnection(stream: stream, frameBytesMax: frameBytesMax))
        }
    }

    /// Stops listening and deletes the socket file; open connections stay open.
    package func close() {
        self.listener.close()
    }
}
