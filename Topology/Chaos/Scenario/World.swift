/// Where a scenario runs.
package enum World: String, Sendable, Hashable, CaseIterable {
    /// One thread, virtual time, a seed.
    case simulated
    /// Processes, sockets, disk and clock.
    case real
}

extension Fault.Kind {
    /// Why a world cannot do it; nil where it can.
    ///
    /// A scenario with such a fault is skipped in that world, and says so.
    package func obstacle(in world: World) -> String? {
        switch (self, world) {
        case (.clockSkew, .real):
            "the processes of one machine share its clock"
        default: nil
        }
    }
}
