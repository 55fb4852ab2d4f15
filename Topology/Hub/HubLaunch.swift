import Glibc
import Mesh
import TopologyFile

/// What the launcher tells a hub on its standard input: one line of JSON.
struct HubLaunch {
    var topology: Topology
    /// The launch token of each `name/instance`.
    var tokens: [String: String] = [:]
    /// The planted bugs.
    var flaws: Set<String> = []
    /// Whether a kill loses what was not synced.
    var powerCuts = false

    /// Reads the line; standard input stays open as the lifeline.
    init() throws {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while byte != 0x0A {
            let count = read(0, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw LaunchError(message: "the hub is started by `squall up`, not by hand")
            }
            bytes.append(contentsOf: chunk[..<count])
            byte = chunk[count - 1]
        }
        let document = try JSONValue(parsingUTF8: bytes)
        guard let topology = document["topology"] else {
            throw LaunchError(message: "the launch line names no topology")
        }
        self.topology = try Topology.parse(topology.text, file: "topology.json")
        for member in document["tokens"]?.object ?? [] {
            self.tokens[member.name] = member.value.string
        }
        self.flaws = Set((document["flaws"]?.array ?? []).compactMap(\.string))
        self.powerCuts = document["powerCuts"]?.bool ?? false
    }
}

/// Why the hub could not start.
struct LaunchError: Error, CustomStringConvertible {
    var message: String
    var description: String { self.message }
}

/// Says why the process ends.
enum Report {
    static func fatal(_ message: String, code: Int32) -> Never {
        self.line("error", message)
        exit(code)
    }

    static func line(_ level: String, _ message: String) {
        var line = "\(level) hub: \(message)\n"
        line.withUTF8 { bytes in _ = write(2, bytes.baseAddress, bytes.count) }
    }
}
