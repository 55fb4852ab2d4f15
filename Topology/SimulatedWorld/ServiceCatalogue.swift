import Mesh
import ServiceKit
import TopologyFile

/// The services that a simulated world can start: their actors, by their names in topologies.
///
/// ```swift
/// ScenarioRun.run(scenario, services: .linked.adding(Loyalty.self))
/// ```
package struct ServiceCatalogue: Sendable {
    /// A service that can be started.
    package struct Entry: Sendable {
        package let name: String
        /// Starts an instance of that name on a ground.
        let start: @Sendable (_ instance: String, Ground) -> Void

        package init<S: Service>(_ service: S.Type) {
            self.name = S.name
            // What is called from here on is known to be of this service, and made for it.
            self.start = { instance, ground in
                let runtime = ServiceRuntime<S>(
                    world: ground,
                    instance: instance,
                    token: SimulatedShop.token
                )
                ground.onConnected = { runtime.connected() }
                ground.onDisconnected = { runtime.disconnected() }
                ground.onFrame = { try? runtime.received($0) }
                ground.onDrain = { runtime.drain() }
                ground.jobs.handling = { runtime.handling }
            }
        }
    }

    private var entries: [String: Entry] = [:]

    package init(_ entries: [Entry]) {
        for entry in entries { self.entries[entry.name] = entry }
    }

    /// Returns the catalogue with one more service, in the place of one with the same name.
    package func adding<S: Service>(_ service: S.Type) -> ServiceCatalogue {
        var catalogue = self
        catalogue.entries[S.name] = Entry(service)
        return catalogue
    }

    /// The names of all services, sorted.
    package var names: [String] { self.entries.keys.sorted() }

    subscript(name: String) -> Entry? { self.entries[name] }

    /// Returns the first service of a topology that cannot be started; nil where all can.
    package func missing(in topology: Topology) -> ServiceMissing? {
        topology.services.first { self[$0.name] == nil || $0.program.isForeign }
            .map { ServiceMissing($0, linked: self.names) }
    }
}

extension ServiceCatalogue: ExpressibleByArrayLiteral {
    package init(arrayLiteral entries: Entry...) {
        self.init(entries)
    }
}

/// A topology names a service that the simulated world cannot start.
package struct ServiceMissing: Error, Hashable, CustomStringConvertible {
    package let service: String
    package let message: String

    package var description: String { self.message }

    init(_ service: Topology.Service, linked: [String]) {
        self.service = service.name
        switch service.program {
        case .command(let words):
            self.message =
                "the simulated world runs actors written in Swift; the service "
                + "'\(service.name)' is a program of its own (\(words.joined(separator: " ")))"
        case .executable:
            let known =
                Suggestion.closest(to: service.name, among: linked).map { "did you mean '\($0)'?" }
                ?? "it has \(linked.joined(separator: ", "))"
            self.message = "the simulated world has no service '\(service.name)'; \(known)"
        }
    }
}

extension Topology.Program {
    /// Whether it is no actor that could be linked.
    fileprivate var isForeign: Bool {
        if case .command = self { true } else { false }
    }
}
