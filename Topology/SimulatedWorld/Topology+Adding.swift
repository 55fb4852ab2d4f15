import Mesh
import ServiceKit
import TopologyFile

extension Topology {
    /// Returns the topology with one more service, as `squall new service` would place it.
    ///
    /// It consumes the topics that it subscribes to, over a link from everyone who emits to them.
    /// Topics in `emits` that the topology does not have are added, for the record. A service that
    /// the topology has already stays as it is.
    package func adding<S: ServiceKit.Service>(
        _ service: S.Type,
        emits: [String] = [],
        instances: Int = 1,
        settings: JSONValue = .object([])
    ) -> Topology {
        guard self.service(S.name) == nil else { return self }
        var topology = self
        var placed = Service(name: S.name, program: .executable("\(S.self)"))
        for subscription in S.consumes
        where !subscription.topic.isEmpty && !placed.consumes.contains(subscription.topic) {
            placed.consumes.append(subscription.topic)
        }
        placed.emits = emits
        placed.instances = instances
        placed.settings = settings
        let producers =
            self.services.map { (name: $0.name, emits: $0.emits) }
            + self.outside.map { (name: $0.name, emits: $0.emits) }
            + [(name: S.name, emits: emits)]
        for producer in producers where producer.emits.contains(where: placed.consumes.contains) {
            topology.links.append(Link(from: producer.name, to: S.name))
        }
        for name in emits where !topology.topics.contains(where: { $0.name == name }) {
            var topic = Topic(name: name)
            topic.recordOnly = true
            topology.topics.append(topic)
        }
        topology.services.append(placed)
        return topology
    }
}
