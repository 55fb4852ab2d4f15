import Events
import Mesh
import OutsideParties

/// Writes down what the shoppers sent and what they were told.
///
/// What an order is must be in the file before the order leaves: call ``flush()`` after
/// ``sent(_:)`` and before the frames go out. An outcome may follow later; an order without one
/// counts as unknown.
package struct ShoppersLedgerWriter {
    private let disk: any Disk
    private var buffer: [UInt8] = []

    package init(disk: any Disk) {
        self.disk = disk
    }

    /// Notes an order that is about to be sent.
    package mutating func sent(_ planned: PlannedOrder) {
        var line = ShoppersLedger.Line(.sent, planned.sequence)
        line.order = planned.order.order
        line.customer = planned.order.customer
        line.intended = planned.intended
        line.total = planned.order.total
        line.lines = planned.order.lines
        self.buffer.append(contentsOf: LedgerFile.line(line))
    }

    /// Notes that the mesh has all orders up to this one, but those that it refused.
    package mutating func accepted(upTo sequence: UInt64) {
        self.buffer.append(
            contentsOf: LedgerFile.line(ShoppersLedger.Line(.accepted, sequence))
        )
    }

    /// Notes that the mesh certainly does not have this order, and never will.
    package mutating func refused(sequence: UInt64, reason: String) {
        var line = ShoppersLedger.Line(.refused, sequence)
        line.reason = reason
        self.buffer.append(contentsOf: LedgerFile.line(line))
    }

    /// Hands everything noted to the operating system, so that it outlives this process.
    ///
    /// Does nothing where nothing was noted since the last time.
    package mutating func flush() throws(DiskError) {
        guard !self.buffer.isEmpty else { return }
        try self.disk.append(self.buffer, to: ShoppersLedger.fileName)
        self.buffer.removeAll(keepingCapacity: true)
    }

    /// Returns once everything noted is durable.
    package mutating func sync() throws(DiskError) {
        try self.flush()
        try self.disk.sync(ShoppersLedger.fileName)
    }
}
