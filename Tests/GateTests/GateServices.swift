import Mesh
import ServiceKit

/// What is published.
struct Placed: Event {
    static let type = "gate.placed.v1"
    static let topic = "orders"
    var order = ""
    var data: [UInt8] = []
    var subject: String { self.order }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("data", &self.data)
    }
}

/// What is said of each event that was handled in a turn, and how large it was.
struct Handled: Event {
    static let type = "gate.handled.v1"
    static let topic = "results"
    var order = ""
    var bytes = 0
    var subject: String { self.order }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("bytes", &self.bytes)
    }
}

/// Handles each event in a turn that records a change and emits an event.
actor Clerk: Service {
    static let name = "worker"
    static let consumes: [Subscription<Clerk>] = [
        .on(Placed.self) { clerk, event, turn in
            turn.decide {
                let handled = Handled(order: event.order, bytes: event.data.count)
                turn.record(handled)
                turn.emit(handled)
            }
        }
    ]

    nonisolated let host: any Host
    private var bytes = 0

    init(host: any Host) { self.host = host }

    func apply(_ change: Handled) { self.bytes += change.bytes }
}

/// Folds events into one number.
actor Counter: Projection {
    static let name = "worker"
    static let snapshotInterval = Trio<Counter>.eventCount
    static let consumes: [Subscription<Counter>] = [
        .on(Placed.self) { counter, event, turn in
            turn.fold { counter.bytes += event.data.count }
        }
    ]

    nonisolated let host: any Host
    private var bytes = 0

    init(host: any Host) { self.host = host }

    func publish(in turn: Turn<Counter>) {}
    func snapshot() -> [UInt8] { Array("\(self.bytes)".utf8) }
}
