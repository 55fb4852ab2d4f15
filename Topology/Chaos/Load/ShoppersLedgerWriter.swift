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
    private var room: LedgerRoom
    /// Orders that were not placed because they could not be written down.
    private var turnedAwayCount = 0

    /// What an order without its lines, and one of its lines, take in the file, outcomes included.
    private static let bytesOfOrder = 1024
    private static let bytesOfLine = 256

    package init(disk: any Disk) {
        self.disk = disk
        self.room = LedgerRoom(
            disk: disk,
            file: ShoppersLedger.fileName,
            length: (try? disk.size(of: ShoppersLedger.fileName)) ?? 0
        )
    }

    /// Whether the disk has no more room than what was put aside.
    package var isFull: Bool { self.room.isFull }

    /// Whether these orders can be written down, whatever else fills the disk.
    ///
    /// Where not, they must not be placed: see ``turnedAway(_:)``.
    package mutating func hasRoom(for orders: [PlannedOrder], now: Instant) -> Bool {
        let bytes = orders.reduce(self.buffer.count) {
            $0 + Self.bytesOfOrder + Self.bytesOfLine * $1.order.lines.count
        }
        return self.room.has(bytes, now: now)
    }

    /// Notes orders that were refused before they had a number; written when there is room.
    package mutating func turnedAway(_ count: Int) { self.turnedAwayCount += count }

    /// Notes an order that is about to be sent, under the number that the mesh knows it by.
    package mutating func sent(_ planned: PlannedOrder, as sequence: UInt64? = nil) {
        var line = ShoppersLedger.Line(.sent, sequence ?? planned.sequence)
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
    /// Does nothing where nothing was noted since the last time. Where it throws, nothing is in
    /// the file and all of it is tried again next time.
    package mutating func flush() throws(DiskError) {
        if self.turnedAwayCount > 0, !self.isFull {
            let line = ShoppersLedger.Line(turnedAway: self.turnedAwayCount)
            self.buffer.append(contentsOf: LedgerFile.line(line))
            self.turnedAwayCount = 0
        }
        guard !self.buffer.isEmpty else { return }
        do {
            try self.disk.append(self.buffer, to: ShoppersLedger.fileName)
        } catch {
            try self.room.cut()
            throw error
        }
        self.room.length += self.buffer.count
        self.buffer.removeAll(keepingCapacity: true)
    }

    /// Returns once everything noted is durable; gives back the room that was put aside.
    package mutating func sync() throws(DiskError) {
        _ = self.room.has(self.buffer.count + Self.bytesOfOrder, now: nil)
        try self.flush()
        try self.disk.sync(ShoppersLedger.fileName)
        try self.room.giveBack()
    }
}
