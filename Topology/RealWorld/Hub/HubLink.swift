import Mesh
import MeshSocket

/// A connection of this process to the hub that comes back by itself.
final class HubLink {
    private let loop: EventLoop
    private let path: String
    private let hello: Hello
    private var connection: FrameConnection?
    private var retry: TimerID?
    private var wait = HubLink.waitMin
    private var isStopped = false

    /// The hub has let us in; called after each reconnection too.
    var onWelcome: (Welcome) -> Void = { _ in }
    /// A frame has come; the reader stands behind its kind.
    var onFrame: (Frame.FromHub, inout WireReader) throws(WireError) -> Void = { _, _ in }
    /// The connection is gone; another attempt follows.
    var onLost: () -> Void = {}
    /// The hub says no for good.
    var onRefused: (String) -> Void = { _ in }
    /// Whether the hub has let us in.
    private(set) var isUp = false

    private static let waitMin = Duration.milliseconds(1)
    private static let waitMax = Duration.milliseconds(20)

    init(loop: EventLoop, path: String, hello: Hello) {
        self.loop = loop
        self.path = path
        self.hello = hello
    }

    /// Connects, again and again until the hub is there.
    func start() {
        guard !self.isStopped, self.connection == nil else { return }
        let connection: FrameConnection
        do {
            connection = try FrameConnection.connect(
                to: self.path,
                loop: self.loop,
                frameBytesMax: Frame.bodyBytesMax
            )
        } catch {
            self.tryAgain()
            return
        }
        self.connection = connection
        connection.onFrame = { [weak self] in self?.received($0) }
        connection.onClose = { [weak self] _ in self?.lost() }
        var writer = WireWriter()
        self.hello.encode(into: &writer)
        connection.send(writer.bytes)
    }

    /// Ends the connection for good.
    func stop() {
        self.isStopped = true
        if let retry = self.retry { self.loop.cancel(retry) }
        self.retry = nil
        self.isUp = false
        let connection = self.connection
        self.connection = nil
        connection?.close()
    }

    /// Sends whole frames; does nothing while the hub is away.
    func send(_ frames: [UInt8]) {
        guard self.isUp, !frames.isEmpty else { return }
        self.connection?.send(frames)
    }

    private func received(_ body: UnsafeRawBufferPointer) {
        var reader = WireReader(body)
        do throws(WireError) {
            let code = try reader.u8()
            guard let kind = Frame.FromHub(rawValue: code) else {
                throw WireError("a frame of the unknown kind \(code)")
            }
            switch kind {
            case .welcome:
                let welcome = try Welcome(from: &reader)
                self.isUp = true
                self.wait = Self.waitMin
                self.onWelcome(welcome)
            case .refused:
                _ = try reader.u8()
                self.onRefused(try reader.text())
            default:
                try self.onFrame(kind, &reader)
            }
        } catch {
            self.onRefused("the hub sent what cannot be read: \(error.message)")
            self.connection?.close()
        }
    }

    private func lost() {
        guard !self.isStopped else { return }
        self.connection = nil
        let wasUp = self.isUp
        self.isUp = false
        if wasUp { self.onLost() }
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
