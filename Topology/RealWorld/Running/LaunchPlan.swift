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
        /// The service that it belongs to, and the instance's name for the hub.
        var service: String?
        var instance: String?
        /// The instance for which an adapter speaks to the hub.
        var adapted: String?
        /// The socket between a command and its adapter, in the run folder.
        var socket: String?
    }

    private(set) var processes: [Process] = []
    /// The token of each `name/instance`.
    private(set) var tokens: [String: String] = [:]
    private let flaws: Flaws
    private let snapshotEvery: Int?

    /// Plans the processes of a topology.
    ///
    /// - Parameters:
    ///   - topology: What to launch.
    ///   - flaws: The planted bugs.
    ///   - powerCuts: Whether a kill loses what was not synced.
    ///   - snapshotEvery: The most commits between two snapshots; nil for what services say.
    ///   - token: Returns a new secret with each call.
    init(
        _ topology: Topology,
        flaws: [String],
        powerCuts: Bool = false,
        snapshotEvery: Int? = nil,
        token: () -> String
    ) {
        self.flaws = Flaws(names: Set(flaws))
        self.snapshotEvery = snapshotEvery
        for (service, placed) in zip(topology.services, topology.layout.services) {
            // A service may be scaled up to one instance for each partition; the hub, which is
            // told all tokens at its start, knows those of later instances already.
            for number in 1...max(1, service.instances, placed.partitions) {
                self.tokens["\(service.name)/\(service.name)-\(number)"] = token()
            }
            for number in 1...max(1, service.instances) {
                _ = self.add("\(service.name)-\(number)", of: service, in: topology)
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
                        .init("SQUALL_FLAWS", .string(self.flaws.text)),
                    ] + (powerCuts ? [.init("SQUALL_POWER_CUTS", "1")] : [])
                )
            )
        }
        for party in topology.outside where party.kind == .shoppers {
            self.tokens["\(party.name)/\(party.name)"] = token()
        }
        for tool in ["squall/admin", "squall/observer"] { self.tokens[tool] = token() }
        self.addHub(topology, powerCuts: powerCuts)
    }

    /// Adds the process of one more instance, and its adapter before it where it needs one.
    ///
    /// Returns what was added: nothing where another process has such a name.
    mutating func add(
        _ instance: String,
        of service: Topology.Service,
        in topology: Topology
    ) -> [Process] {
        let isFirst = service.instances == 1 && instance == "\(service.name)-1"
        var process = Process(
            name: isFirst ? service.name : instance,
            kind: .service,
            program: service.program,
            environment: [
                .init("SQUALL_NAME", .string(service.name)),
                .init("SQUALL_INSTANCE", .string(instance)),
                .init("SQUALL_TOKEN", .string(self.tokens["\(service.name)/\(instance)"] ?? "")),
                .init("SQUALL_SETTINGS", .string(service.settings.text)),
                .init("SQUALL_FLAWS", .string(self.flaws.text)),
            ]
                + (self.snapshotEvery.map { [.init("SQUALL_SNAPSHOT_EVERY", .string("\($0)"))] }
                    ?? []),
            restart: service.restart,
            service: service.name,
            instance: instance
        )
        var added: [Process] = []
        if case .command = service.program {
            added.append(Self.adapter(for: &process, service, topology))
        }
        added.append(process)
        let names = added.map(\.name)
        guard !self.processes.contains(where: { names.contains($0.name) }) else { return [] }
        self.processes += added
        return added
    }

    /// Forgets a process that is there no more.
    mutating func remove(_ name: String) {
        self.processes.removeAll { $0.name == name }
    }

    /// The processes that make up an instance: itself, and its adapter.
    func parts(of instance: String) -> [Process] {
        self.processes.filter { $0.instance == instance || $0.adapted == instance }
    }

    /// The processes of a service, in the order of their numbers.
    func instances(of service: String) -> [Process] {
        self.processes.filter { $0.service == service && $0.instance != nil }
            .sorted { one, two in
                let (left, right) = (one.instance ?? "", two.instance ?? "")
                return (left.count, left) < (right.count, right)
            }
    }

    /// Puts an adapter between the hub and a command, which then needs to know neither the mesh nor
    /// its secrets.
    private static func adapter(
        for command: inout Process,
        _ service: Topology.Service,
        _ topology: Topology
    ) -> Process {
        let known: JSONValue = [
            "consumes": .array(service.consumes.map { .string($0) }),
            "emits": .object(
                topology.topics.filter { service.emits.contains($0.name) }.map { topic in
                    .init(topic.name, .array(topic.types.map { .string($0) }))
                }
            ),
            "eventBytesMax": .int(Int64(topology.limits.mesh.eventBytesMax)),
        ]
        let secrets: Set = ["SQUALL_TOKEN", "SQUALL_FLAWS", "SQUALL_SNAPSHOT_EVERY"]
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
        adapter.service = service.name
        adapter.adapted = command.instance
        command.environment.removeAll { secrets.contains($0.name) }
        command.socket = socket
        return adapter
    }

    private mutating func addHub(_ topology: Topology, powerCuts: Bool) {
        let members = self.tokens.sorted { $0.key < $1.key }
            .map { JSONValue.Member($0.key, .string($0.value)) }
        let line: JSONValue = [
            "topology": topology.normalized(),
            "tokens": .object(members),
            "flaws": .array(self.flaws.names.sorted().map { .string($0) }),
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
        let instances = self.instances(of: name)
        if !instances.isEmpty { return instances }
        let found = self.processes.filter { $0.name == name || $0.instance == name }
        if !found.isEmpty { return found }
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
