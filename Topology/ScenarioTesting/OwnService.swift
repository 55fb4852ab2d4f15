import Chaos
import Mesh
import SimulatedWorld
import TopologyFile

/// A service that is only in a test.
package struct OwnService: Sendable {
    let name: String
    /// Gives it a place in a topology.
    let place: @Sendable (Topology) -> Topology
    /// Lets the simulated world start it.
    let add: @Sendable (ServiceCatalogue) -> ServiceCatalogue

    /// What a test has of its own that no process can run; nil where there is nothing.
    static func obstacles(
        _ invariants: [@Sendable (MeshLayout) -> any Invariant],
        _ services: [OwnService]
    ) -> [String]? {
        var obstacles = services.map { service in
            "\(service.name) is an actor of the test: on processes a service needs an executable; "
                + "squall new service \(service.name)"
        }
        if !invariants.isEmpty {
            obstacles.append(
                "an invariant of the test's own judges simulated runs; on processes squall judges, "
                    + "by the invariants in Topology/Chaos/Invariants"
            )
        }
        return obstacles.isEmpty ? nil : obstacles
    }
}
