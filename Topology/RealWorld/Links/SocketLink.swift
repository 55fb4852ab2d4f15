import Mesh
import MeshSocket

/// The socket under a client of the hub or of an outside party; it comes back by itself when the
/// other end does.
final class SocketLink {
    private let loop: EventLoop
    private let path: String
    private let frameBytesMax: Int
    private var connection: FrameConnection?
    private var retry: TimerID?
    private var wait = SocketLink.waitMin
    private var isStopped = false

    /// A connection exists: say hello.
    var onConnected: () -> Void = {}
    /// A frame's body has come.
    var onFrame: (UnsafeRawBufferPointer) throws(WireError) -> Void = { _ in }
    /// The connection is gone; another attempt follows.
    var onLost: () -> Void = {}
    /// The other end sent what cannot be read.
    var onTrouble: (String) -> Void = { _ in }

    private static let waitMin = Duration.milliseconds(1)
    private static let waitMax = Duration.milliseconds(5)

    init(loop: EventLoop, path: String, frameBytesMax: Int = Frame.bodyBytesMax) {
        self.loop = loop
        self.path = path
        self.frameBytesMax = frameBytesMax
    }

    /// Connects, again and again until the other end is there.
    func start() {
        guard !self.isStopped, self.connection == nil else { return }
        let connection: FrameConnection
        do {
            connection = try FrameConnection.connect(
                to: self.path,
                loop: self.loop,
                frameBytesMax: self.frameBytesMax
            )
        } catch {
            self.tryAgain()
            return
        }
        self.connection = connection
        connection.onFrame = { [weak self] in self?.received($0) }
        connection.onClose = { [weak self] _ in self?.lost() }
        self.onConnected()
    }

    /// Ends the connection for good.
    func stop() {
        self.isStopped = true
        if let retry = self.retry { self.loop.cancel(retry) }
        self.retry = nil
        let connection = self.connection
        self.connection = nil
        connection?.close()
    }

    /// Sends whole frames; does nothing while the other end is away.
    func send(_ frames: [UInt8]) {
        guard !frames.isEmpty else { return }
        self.connection?.send(frames)
    }

    private func received(_ body: UnsafeRawBufferPointer) {
        self.wait = Self.waitMin
        do throws(WireError) {
            try self.onFrame(body)
        } catch {
            self.onTrouble("\(self.path) sent what cannot be read: \(error.message)")
            self.connection?.close()
        }
    }

    private func lost() {
        guard !self.isStopped else { return }
        self.connection = nil
        self.onLost()
        self.tryAgain()
    }

    private func tryAgain() {
        guard !self.isStopped, self.retry == nil else { return }
        self.retry = self.loop.timer(at: self.loop.now() + self.wait) { [weak self] in
            guard let self else { return }
            self.retry = nil
            self.start()
        }
        self.wait = min(self.wait * 2, Self.waitMax)
    }
}
