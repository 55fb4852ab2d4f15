import Mesh
import MeshSocket

/// Asks the hub questions, gives it commands, and hears what it announces.
final class AdminLink {
    typealias Answer = (Result<JSONValue, ControlError>) -> Void

    private let link: SocketLink
    private var client: AdminClient
    private var waiting: [UInt64: Answer] = [:]

    /// Whether the hub has let us in.
    private(set) var isUp = false
    /// Something happened that the hub tells without being asked.
    var onNotice: (JSONValue) -> Void = { _ in }
    /// The log is durable up to here: once, until ``follow()``; for observers.
    var onDurable: (UInt64) -> Void = { _ in }
    /// The hub is there, for the first time or again.
    var onUp: () -> Void = {}
    /// The hub is gone.
    var onLost: () -> Void = {}
    /// The hub does not let us in, or cannot be understood.
    var onTrouble: (String) -> Void = { _ in }

    /// Creates a link; the role in `hello` is admin or observer.
    init(loop: EventLoop, path: String, hello: Hello) {
        self.client = AdminClient(hello: hello)
        self.link = SocketLink(loop: loop, path: path)
        self.link.onConnected = { [weak self] in
            self?.client.connected()
            self?.flush()
        }
        self.link.onFrame = { [weak self] (frame) throws(WireError) in
            guard let self else { return }
            for action in try self.client.received(frame) { self.carryOut(action) }
        }
        self.link.onLost = { [weak self] in self?.lost() }
        self.link.onTrouble = { [weak self] in self?.onTrouble($0) }
    }

    func start() { self.link.start() }

    func stop() {
        self.isUp = false
        self.link.stop()
    }

    /// Wants to hear when the log has grown beyond what ``onDurable`` was told last.
    func follow() {
        guard self.isUp else { return }
        self.client.follow()
        self.flush()
    }

    /// Sends a request; `answer` is called once, with an error where the hub goes away first.
    func ask(_ request: JSONValue, _ answer: @escaping Answer) {
        guard self.isUp else { return answer(.failure(Self.away)) }
        self.waiting[self.client.ask(request)] = answer
        self.flush()
    }

    private static let away = ControlError(
        "the hub is not there at the moment; it is being started again",
        hint: "squall ps"
    )

    private func flush() { self.link.send(self.client.takeOutput()) }

    private func carryOut(_ action: AdminClient.Action) {
        switch action {
        case .welcomed:
            self.isUp = true
            self.onUp()
        case .answered(let number, let json):
            guard let answer = self.waiting.removeValue(forKey: number) else { return }
            if let message = json["error"]?.string {
                answer(.failure(ControlError(message)))
            } else {
                answer(.success(json))
            }
        case .noticed(let json): self.onNotice(json)
        case .durable(let position): self.onDurable(position)
        case .shutOut(let refusal): self.onTrouble(refusal.message)
        }
    }

    private func lost() {
        self.client.disconnected()
        let wasUp = self.isUp
        self.isUp = false
        let waiting = self.waiting.sorted { $0.key < $1.key }
        self.waiting = [:]
        for (_, answer) in waiting { answer(.failure(Self.away)) }
        if wasUp { self.onLost() }
    }
}
