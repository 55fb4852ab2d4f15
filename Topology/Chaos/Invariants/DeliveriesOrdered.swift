import Mesh

/// Each service does with the events of a subject in their order, and with each of them once.
package final class DeliveriesOrdered: Invariant {
    package let name = "deliveries-ordered"
    package let promise = "each service handles a subject's events in order, each once"
    package let hears: Hearing = .oddDeliveries

    private let layout: MeshLayout

    package init(layout: MeshLayout) {
        self.layout = layout
    }

    package func delivered(_ delivery: OddDelivery) -> Finding? {
        let (service, topic) = (delivery.service, delivery.topic)
        let known = self.layout.services.indices.contains(service)
        let name = known ? self.layout.services[service].name : "service \(service)"
        let topicName =
            (0..<self.layout.topicCount).contains(topic)
            ? self.layout.topicName(topic) : "topic \(topic)"
        let what = "\(topicName)/\(delivery.partition) at \(delivery.offset)"
        let witness = Witness("\(name) is done with \(what)", position: delivery.position)
        switch delivery.step {
        case .before(let earlier):
            return .broken(
                "\(name) handled \(what) before \(earlier) of the same subject",
                witness
            )

        case .again: return .broken("\(name) handled \(what) twice", witness)
        case .neverPublished: return .broken("\(name) handled \(what), which is not there", witness)
        case .inOrder: return nil
        case nil: return .broken("\(name) handled \(what), which it does not consume", witness)
        }
    }

    package func finished(_ end: RunEnd) -> Finding {
        .held(counted(end.deliveries.count, "delivery", "deliveries"))
    }
}
