import Glibc
import Mesh
import MeshSocket
import OutsideParties
import ServiceKit

/// What the launcher tells an outside party: `Outside KIND`, in the run folder.
///
/// `SQUALL_NAME` is the party's name and that of its socket, `SQUALL_SETTINGS` its settings and
/// `SQUALL_FAULTS` its standing faults, both as JSON in the forms of the topology file. With
/// `SQUALL_POWER_CUTS` a kill loses what was not synced; `SQUALL_FLAWS` are the planted bugs.
struct OutsideLaunch {
    private let kind: String
    private let name: String
    private let settings: JSONValue
    private let faults: [JSONValue]

    init() throws {
        guard CommandLine.arguments.count == 2 else {
            throw OutsideLaunchError(message: "usage: Outside bank|mail; squall up starts it")
        }
        self.kind = CommandLine.arguments[1]
        self.name = Self.variable("SQUALL_NAME") ?? self.kind
        self.settings = try Self.json("SQUALL_SETTINGS", default: .object([]))
        guard let faults = try Self.json("SQUALL_FAULTS", default: .array([])).array else {
            throw OutsideLaunchError(message: "SQUALL_FAULTS: expected a list")
        }
        self.faults = faults
    }

    /// Opens the party of that kind: reads its ledger and listens.
    func open(on loop: EventLoop) throws {
        var settings = Settings(self.settings)
        let capacity = settings.count("capacity", default: 0)
        switch self.kind {
        case "bank":
            let machine = BankMachine(settings: &settings)
            try self.open(machine, capacity, settings.problems(), on: loop)

        case "mail":
            try self.open(MailRelayMachine(), capacity, settings.problems(), on: loop)

        default:
            throw OutsideLaunchError(
                message: "there is no outside party of the kind '\(self.kind)'; "
                    + "there are bank and mail"
            )
        }
    }

    private func open(
        _ machine: some PartyMachine,
        _ capacity: Int,
        _ problems: [String],
        on loop: EventLoop
    ) throws {
        for problem in problems { OutsideReport.line("error: \(problem); using the default") }
        let folder = try FolderDisk(folder: "ledgers")
        let isHolding = Self.variable("SQUALL_POWER_CUTS") != nil
        let disk: any Disk = isHolding ? HoldingDisk(folder) : folder
        let desk = try PartyDesk(
            machine: machine,
            disk: disk,
            capacity: capacity,
            flaws: Flaws(text: Self.variable("SQUALL_FLAWS") ?? "")
        )
        if desk.tornBytes > 0 {
            OutsideReport.line("info: cut \(desk.tornBytes) bytes that a crash left behind")
        }
        for fault in self.faults { desk.arm(try PartyFaults.Armed(fault, now: loop.now())) }
        let process = OutsideProcess(desk: desk, loop: loop)
        try process.listen(at: "\(self.name).sock")
    }

    private static func json(_ name: String, default fallback: JSONValue) throws -> JSONValue {
        guard let text = self.variable(name), !text.isEmpty else { return fallback }
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw OutsideLaunchError(message: "\(name): \(error)")
        }
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}

/// Why an outside party could not be started as it was asked to.
struct OutsideLaunchError: Error, CustomStringConvertible {
    var message: String
    var description: String { self.message }
}

/// Writes whole lines to the launcher, which keeps them in the party's log.
enum OutsideReport {
    /// Says that callers are served from now on.
    static func ready() { self.write("ready\n", to: 1) }

    static func line(_ text: String) { self.write(text + "\n", to: 2) }

    static func fatal(_ message: String, code: Int32) -> Never {
        self.line("error: \(message)")
        exit(code)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
