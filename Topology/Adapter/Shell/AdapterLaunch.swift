import AdapterDialogue
import Glibc
import Mesh

/// What the launcher tells an adapter by environment: who it speaks for.
struct AdapterLaunch {
    let settings: AdapterSettings
    /// The socket on which the command is awaited.
    let socket: String
    let hub: String

    init() throws {
        guard let service = Self.variable("SQUALL_NAME"),
            let socket = Self.variable("SQUALL_SOCKET"),
            let text = Self.variable("SQUALL_ADAPTER")
        else {
            throw AdapterLaunchError(message: "an adapter is started by `squall up`, not by hand")
        }
        self.settings = AdapterSettings(
            service: service,
            instance: Self.variable("SQUALL_INSTANCE") ?? "\(service)-1",
            token: Self.variable("SQUALL_TOKEN") ?? "",
            json: try JSONValue(parsing: text)
        )
        self.socket = socket
        self.hub = Self.variable("SQUALL_HUB") ?? "hub.sock"
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}

/// Why an adapter could not be started.
struct AdapterLaunchError: Error, CustomStringConvertible {
    var message: String
    var description: String { self.message }
}

/// Writes whole lines to standard error, which the launcher keeps in the adapter's log.
enum AdapterReport {
    static func line(_ text: String) {
        var line = text + "\n"
        line.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
    }

    static func fatal(_ message: String, code: Int32) -> Never {
        self.line("error \(message)")
        exit(code)
    }
}
