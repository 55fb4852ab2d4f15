import Mesh
import ServiceKit
import TopologyFile

/// Which processes a topology has, and what each is told.
struct LaunchPlan {
    /// The name that the hub has among the processes.
    static let hub = "hub"

    /// A process to start.
    struct Process: Hashable {
        enum Kind: Hashable { case hub, outside, service, adapter }

        var name: String
        var kind: Kind
        var program: Topology.Program
        var arguments: [String] = []
        /// Beyond what squall itself was given.
        var environment: [JSONValue.Member] = []
        var restart = Topology.Restart()
        /// What it finds on its standard input before the lifeline.
        var standardInput = ""
        /// The instance's name for the hub.
        var instance: String?
        /// The instance for which an adapter speaks to the hub.
        var adapted: String?
        /// The socket between a command and its adapter, in the run folder.
        var socket: String?
    }

    private(set) var processes: [Process] = []
    /// The token of each `name/instance`.
    private(set) var tokens: [String: String] = [:]

    /// Plans the processes of a topology.
    ///
    /// - Parameters:
    ///   - topology: What to launch.
    ///   - flaws: The planted bugs.
    ///   - powerCuts: Whether a kill loses what was not synced.
    ///   - token: Returns a new secret with each call.
    init(
        _ topology: Topology,
        flaws: [String],
        powerCuts: Bool = false,
        token: () -> String
    ) {
        let flawText = flaws.joined(separator: ",")
        for service in topology.services {
            for number in 1...max(1, service.instances) {
                let instance = "\(service.name)-\(number)"
                let secret = token()
                self.tokens["\(service.name)/\(instance)"] = secret
                var process = Process(
                    name: service.instances > 1 ? instance : service.name,
                    kind: .service,
                    program: service.program,
                    environment: [
                        .init("SQUALL_NAME", .string(service.name)),
                        .init("SQUALL_INSTANCE", .string(instance)),
                        .init("SQUALL_TOKEN", .string(secret)),
                        .init("SQUALL_SETTINGS", .string(service.settings.text)),
                        .init("SQUALL_FLAWS", .string(flawText)),
                    ],
                    restart: service.restart
                )
                process.instance = instance
                if case .command = service.program {
                    self.add(&process, adaptedFor: service, of: topology)
                }
                self.processes.append(process)
            }
        }
        for party in topology.outside where party.kind != .shoppers {
            self.processes.append(
                Process(
                    name: party.name,
                    kind: .outside,
                    program: .executable("Outside"),
                    arguments: [party.kind.rawValue],
                    environment: [
                        .init("SQUALL_NAME", .string(party.name)),
                        .init("SQUALL_SETTINGS", .string(party.settings.text)),
                        .init(
                            "SQUALL_FAULTS",
                            .string(PartyCommand.standing(party.faults).text)
                        ),
                    ] + (powerCuts ? [.init("SQUALL_POWER_CUTS", "1")] : [])
                )
            )
        }
        for party in topology.outside where party.kind == .shoppers {
            self.tokens["\(party.name)/\(party.name)"] = token()
        }
        for tool in ["squall/admin", "squall/observer"] { self.tokens[tool] = token() }
        self.addHub(topology, flaws: flaws, powerCuts: powerCuts)
    }

    /// Puts an adapter between the hub and a command, which then needs to know neither the mesh nor
    /// its secrets.
    private mutating func add(
        _ command: inout Process,
        adaptedFor service: Topology.Service,
        of topology: Topology
    ) {
        let known: JSONValue = [
            "consumes": .array(service.consumes.map { .string($0) }),
            "emits": .object(
                topology.topics.filter { service.emits.contains($0.name) }.map { topic in
                    .init(topic.name, .array(topic.types.map { .string($0) }))
                }
            ),
            "eventBytesMax": .int(Int64(topology.limits.mesh.eventBytesMax)),
        ]
        let secrets: Set = ["SQUALL_TOKEN", "SQUALL_FLAWS"]
        let socket = "\(command.name).sock"
        var adapter = Process(
            name: "\(command.name).adapter",
            kind: .adapter,
            program: .executable("Adapter"),
            environment: command.environment.filter { $0.name != "SQUALL_SETTINGS" } + [
                .init("SQUALL_ADAPTER", .string(known.text)),
                .init("SQUALL_SOCKET", .string(socket)),
            ]
        )
        adapter.adapted = command.instance
        self.processes.append(adapter)
        command.environment.removeAll { secrets.contains($0.name) }
        command.socket = socket
    }

    private mutating func addHub(_ topology: Topology, flaws: [String], powerCuts: Bool) {
        let members = self.tokens.sorted { $0.key < $1.key }
            .map { JSONValue.Member($0.key, .string($0.value)) }
        let line: JSONValue = [
            "topology": topology.normalized(),
            "tokens": .object(members),
            "flaws": .array(flaws.map { .string($0) }),
            "powerCuts": .bool(powerCuts),
        ]
        var hub = Process(name: Self.hub, kind: .hub, program: .executable("Hub"))
        hub.standardInput = line.text + "\n"
        self.processes.insert(hub, at: 0)
    }

    /// Returns who connects to the hub as `name/instance`.
    func hello(_ role: ClientRole, _ name: String, _ instance: String) -> Hello {
        Hello(
            role: role,
            name: name,
            instance: instance,
            token: self.tokens["\(name)/\(instance)"] ?? ""
        )
    }

    /// Returns the processes that a user means: one by its name, or all instances of a service.
    ///
    /// - Throws: `ControlError` with what there is.
    func processes(named name: String, in topology: Topology) throws(ControlError) -> [Process] {
        let found = self.processes.filter { $0.name == name || $0.instance == name }
        if !found.isEmpty { return found }
        if topology.service(name) != nil {
            return self.processes.filter { process in
                process.kind == .service && process.instance?.hasPrefix("\(name)-") == true
            }
        }
        if topology.outside.contains(where: { $0.name == name }) {
            throw ControlError(
                "\(name) are no process of their own: squall places the orders itself",
                hint: "squall load rate 0",
                isUsage: true
            )
        }
        let names = self.processes.map(\.name)
        throw ControlError(
            "there is no process '\(name)'"
                + (Suggestion.closest(to: name, among: names).map { "; did you mean '\($0)'?" }
                    ?? "; there are \(names.joined(separator: ", "))"),
            hint: "squall ps",
            isUsage: true
        )
    }

    /// Why flaws cannot be planted; nil where all are known.
    static func unknownFlaw(_ names: [String]) -> ControlError? {
        let known = Flaw.allCases.map(\.rawValue)
        guard let wrong = names.first(where: { !known.contains($0) }) else { return nil }
        return ControlError(
            "there is no flaw '\(wrong)'"
                + (Suggestion.closest(to: wrong, among: known).map { "; did you mean '\($0)'?" }
                    ?? "; there are \(known.joined(separator: ", "))"),
            hint: "squall help up",
            isUsage: true
        )
    }
}
