import TopologyFile

extension RestartPolicy {
    /// Creates the policy that a topology file asks for.
    package init(_ restart: Topology.Restart) {
        self.init()
        self.condition =
            switch restart.policy {
            case .always: .always
            case .onFailure: .onFailure
            case .never: .never
            }
        self.backoffMin = restart.backoffMin
        self.backoffMax = restart.backoffMax
        self.crashLoopCount = restart.crashLoopCount
        self.crashLoopWithin = restart.crashLoopWithin
    }
}
