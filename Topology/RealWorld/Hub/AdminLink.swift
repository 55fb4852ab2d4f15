import Mesh
import MeshSocket

/// Asks the hub questions and gives it commands.
final class AdminLink {
    typealias Answer = (Result<JSONValue, ControlError>) -> Void

    private let link: HubLink
    private var waiting: [UInt64: Answer] = [:]
    private var lastNumber: UInt64 = 0

    /// Something happened that the hub tells without being asked.
    var onNotice: (JSONValue) -> Void = { _ in }
    /// The hub is there, for the first time or again.
    var onUp: () -> Void = {}
    /// The hub is gone.
    var onLost: () -> Void = {}
    /// The hub does not let us in.
    var onRefused: (String) -> Void = { _ in }

    init(loop: EventLoop, path: String, hello: Hello) {
        self.link = HubLink(loop: loop, path: path, hello: hello)
        self.link.onWelcome = { [weak self] _ in self?.onUp() }
        self.link.onLost = { [weak self] in self?.lost() }
        self.link.onRefused = { [weak self] in self?.onRefused($0) }
        self.link.onFrame = { [weak self] (kind, reader) throws(WireError) in
            try self?.received(kind, &reader)
        }
    }

    var isUp: Bool { self.link.isUp }

    func start() { self.link.start() }

    func stop() { self.link.stop() }

    /// Sends a request; `answer` is called once, with an error where the hub goes away first.
    func ask(_ request: JSONValue, _ answer: @escaping Answer) {
        guard self.link.isUp else { return answer(.failure(Self.away)) }
        self.lastNumber += 1
        let number = self.lastNumber
        self.waiting[number] = answer
        var writer = WireWriter()
        writer.frame(.admin) {
            $0.varint(number)
            $0.text(request.text)
        }
        self.link.send(writer.bytes)
    }

    private static let away = ControlError(
        "the hub is not there at the moment; it is being started again",
        hint: "squall ps"
    )

    private func received(
        _ kind: Frame.FromHub,
        _ reader: inout WireReader
    ) throws(WireError) {
        switch kind {
        case .answer:
            let number = try reader.varint()
            let json = try Self.json(try reader.text())
            guard let answer = self.waiting.removeValue(forKey: number) else { return }
            if let message = json["error"]?.string {
                answer(.failure(ControlError(message)))
            } else {
                answer(.success(json))
            }
        case .notice:
            self.onNotice(try Self.json(try reader.text()))
        default:
            return
        }
    }

    private static func json(_ text: String) throws(WireError) -> JSONValue {
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw WireError("an answer that is no JSON: \(error)")
        }
    }

    private func lost() {
        let waiting = self.waiting.sorted { $0.key < $1.key }
        self.waiting = [:]
        for (_, answer) in waiting { answer(.failure(Self.away)) }
        self.onLost()
    }
}
