import Mesh
import MeshSocket

/// Listens on the control socket of a run: one JSON object a line in, one a line out.
///
/// Answers come in the order of the requests of a connection, or later than they were asked for
/// where someone else must be asked first; each carries the `id` of its request.
final class ControlServer {
    typealias Answer = (Result<JSONValue, ControlError>) -> Void

    private var listener: LineListener?

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - path: The socket's path.
    ///   - loop: Where everything runs.
    ///   - handle: Does what a request says and calls its second argument once.
    /// - Throws: `SystemError` where the socket cannot be made.
    init(
        path: String,
        loop: EventLoop,
        handle: @escaping (ControlRequest, @escaping Answer) -> Void
    ) throws(SystemError) {
        self.listener = try LineListener(path: path, loop: loop) { connection in
            connection.onLine = { line in
                Self.received(line, on: connection, handle)
            }
        }
    }

    func close() {
        self.listener?.close()
        self.listener = nil
    }

    private static func received(
        _ line: String,
        on connection: LineConnection,
        _ handle: (ControlRequest, @escaping Answer) -> Void
    ) {
        var id: JSONValue = .null
        let answer: Answer = { result in
            guard !connection.isClosed else { return }
            connection.send(line: Self.text(result, id: id))
        }
        let json: JSONValue
        do {
            json = try JSONValue(parsing: line)
        } catch {
            return answer(.failure(ControlError("a request is one JSON object a line: \(error)")))
        }
        id = json["id"] ?? .null
        do throws(ControlError) {
            handle(try ControlRequest(json: json), answer)
        } catch {
            answer(.failure(error))
        }
    }

    private static func text(_ result: Result<JSONValue, ControlError>, id: JSONValue) -> String {
        var members: [JSONValue.Member] = []
        if id != .null { members.append(JSONValue.Member("id", id)) }
        switch result {
        case .success(let value):
            members.append(JSONValue.Member("ok", value))
        case .failure(let error):
            members.append(JSONValue.Member("error", .string(error.message)))
            if let hint = error.hint { members.append(JSONValue.Member("hint", .string(hint))) }
            if error.isUsage { members.append(JSONValue.Member("usage", true)) }
        }
        return JSONValue.object(members).text
    }
}
