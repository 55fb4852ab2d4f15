import Mesh
import MeshSocket
import ServiceKit

/// Commands the process of an outside party.
final class PartyLink {
    typealias Answer = (Result<JSONValue, ControlError>) -> Void

    /// The party's name.
    let name: String
    private let link: SocketLink
    private var waiting: [UInt64: Answer] = [:]
    private var lastID: UInt64 = 0
    private var isUp = false

    /// The party listens, for the first time or again.
    var onUp: () -> Void = {}

    init(loop: EventLoop, name: String) {
        self.name = name
        self.link = SocketLink(
            loop: loop,
            path: "\(name).sock",
            frameBytesMax: OutsideFrame.bytesMax
        )
        self.link.onConnected = { [weak self] in
            self?.isUp = true
            self?.onUp()
        }
        self.link.onLost = { [weak self] in self?.lost() }
        self.link.onFrame = { [weak self] (frame) throws(WireError) in
            try self?.received(frame)
        }
    }

    func start() { self.link.start() }

    func stop() {
        self.isUp = false
        self.link.stop()
    }

    /// Sends a command; `answer` is called once, with an error where the party goes away first.
    func ask(_ command: JSONValue, _ answer: @escaping Answer) {
        guard self.isUp else { return answer(.failure(self.away)) }
        self.lastID += 1
        self.waiting[self.lastID] = answer
        let body = [UInt8](command.text.utf8)
        self.link.send(OutsideFrame(kind: .adminRequest, id: self.lastID, body: body).framed)
    }

    private var away: ControlError {
        ControlError("\(self.name) is not there at the moment", hint: "squall ps")
    }

    private func received(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        let frame = try OutsideFrame.parse(bytes)
        guard frame.kind == .adminAnswer, let answer = self.waiting.removeValue(forKey: frame.id)
        else { return }
        guard let json = try? JSONValue(parsingUTF8: frame.body) else {
            return answer(.failure(ControlError("\(self.name) answered what is no JSON")))
        }
        if let message = json["error"]?.string {
            answer(.failure(ControlError("\(self.name): \(message)")))
        } else {
            answer(.success(json))
        }
    }

    private func lost() {
        self.isUp = false
        let waiting = self.waiting.sorted { $0.key < $1.key }
        self.waiting = [:]
        for (_, answer) in waiting { answer(.failure(self.away)) }
    }
}
