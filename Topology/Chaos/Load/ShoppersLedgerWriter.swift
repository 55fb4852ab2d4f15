import Events
import Mesh

/// Writes down what the shoppers sent and what they were told, one JSON object a line.
///
/// What an order is must be in the file before the order leaves: call ``flush()`` after
/// ``sent(_:)`` and before the frames go out. An outcome may follow later; an order without one
/// counts as unknown.
package struct ShoppersLedgerWriter {
    /// The file's name.
    package static let file = "shoppers.ledger"

    private let disk: any Disk
    private var buffer: [UInt8] = []

    package init(disk: any Disk) {
        self.disk = disk
    }

    /// Notes an order that is about to be sent.
    package mutating func sent(_ planned: PlannedOrder) {
        let order = planned.order
        let lines = order.lines.map { line in
            JSONValue.array([
                .string(line.product.rawValue), .int(Int64(line.quantity)),
                .int(line.amount.rawValue),
            ])
        }
        self.write([
            "sent": .int(Int64(planned.sequence)),
            "order": .string(order.order.rawValue),
            "customer": .string(order.customer.rawValue),
            "intended": .int(planned.intended.nanoseconds),
            "total": .int(order.total.rawValue),
            "lines": .array(lines),
        ])
    }

    /// Notes that the mesh has all orders up to this one, but those that it refused.
    package mutating func accepted(upTo sequence: UInt64) {
        self.write(["accepted": .int(Int64(sequence))])
    }

    /// Notes that the mesh certainly does not have this order, and never will.
    package mutating func refused(sequence: UInt64, reason: String) {
        self.write(["refused": .int(Int64(sequence)), "reason": .string(reason)])
    }

    /// Hands everything noted to the operating system, so that it outlives this process.
    package mutating func flush() throws(DiskError) {
        guard !self.buffer.isEmpty else { return }
        try self.disk.append(self.buffer, to: Self.file)
        self.buffer.removeAll(keepingCapacity: true)
    }

    /// Returns once everything noted is durable.
    package mutating func sync() throws(DiskError) {
        try self.flush()
        try self.disk.sync(Self.file)
    }

    private mutating func write(_ line: JSONValue) {
        self.buffer.append(contentsOf: line.text.utf8)
        self.buffer.append(0x0A)
    }
}
