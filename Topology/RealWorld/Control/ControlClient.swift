import Chaos
import Mesh
import MeshSocket

/// Asks a running topology something and waits for the answer.
package enum ControlClient {
    /// How long most answers may take.
    package static let patience = Duration.seconds(10)

    /// Sends a request to the run in `folder` and returns its answer.
    ///
    /// Makes `folder` the working directory: the name of a socket has to be short.
    ///
    /// - Throws: `ControlError` where the run cannot be reached or says no.
    package static func ask(
        _ request: ControlRequest,
        run folder: String
    ) throws(ControlError) -> JSONValue {
        var result: Result<JSONValue, ControlError> = .failure(
            ControlError(
                "the topology in \(folder) does not answer within "
                    + HumanText.duration(request.patience),
                hint: "squall logs"
            )
        )
        do {
            try FileSystem.enter(folder)
            let loop = try EventLoop()
            let connection = try LineConnection.connect(
                to: RunFolder.Name.control,
                loop: loop,
                lineBytesMax: 64 << 20
            )
            connection.onLine = { line in
                result = Self.result(of: line)
                loop.stop()
            }
            connection.onClose = { _ in
                result = .failure(ControlError("the topology ended before it answered"))
                loop.stop()
            }
            loop.timer(at: loop.now() + request.patience) { loop.stop() }
            connection.send(line: request.json.text)
            try loop.run()
        } catch {
            throw ControlError(
                "cannot reach the topology in \(folder): \(error)",
                hint: "squall runs"
            )
        }
        return try result.get()
    }

    private static func result(of line: String) -> Result<JSONValue, ControlError> {
        guard let json = try? JSONValue(parsing: line) else {
            return .failure(ControlError("the topology answered what is no JSON: \(line)"))
        }
        if let message = json["error"]?.string {
            return .failure(
                ControlError(
                    message,
                    hint: json["hint"]?.string,
                    isUsage: json["usage"]?.bool ?? false
                )
            )
        }
        return .success(json["ok"] ?? .null)
    }
}
