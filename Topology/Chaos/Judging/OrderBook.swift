import Events
import Mesh

/// What the log says of every order: the recount that invariants judge by.
///
/// A class only so that all invariants see one book; whoever judges owns it.
package final class OrderBook {
    /// How an order ended.
    package enum End: String, Sendable, Hashable {
        case confirmed
        case cancelled
    }

    /// One order.
    ///
    /// Its lines are bits of a mask; orders have at most 64 lines that are judged.
    package struct Entry: Sendable, Hashable {
        package var id: OrderID
        package var total = Money.zero
        package var quantity = 0
        package var lineCount = 0
        package var placements = 0
        /// The record with the order's first placement.
        package var placedAt: UInt64 = 0
        package var end: End?
        package var ends = 0
        /// The record with the order's first end.
        package var endedAt: UInt64 = 0
        package var reserved: UInt64 = 0
        package var released: UInt64 = 0
        package var shipped: UInt64 = 0
        package var captured: Money?
        package var refunded: Money?
        package var notifications = 0

        /// The order's end as a witness.
        package var endWitness: Witness {
            Witness("\(self.id) \(self.end?.rawValue ?? "in progress")", position: self.endedAt)
        }

        /// The order's placement as a witness.
        package var placedWitness: Witness {
            Witness("\(self.id) placed", position: self.placedAt)
        }

        /// The mask with one bit for each line.
        package var allLines: UInt64 {
            self.lineCount >= 64 ? .max : (1 << UInt64(self.lineCount)) - 1
        }
    }

    package private(set) var entries: [Entry] = []
    /// The place of each order behind the hash of its id, 1 more than that; 0 where there is none.
    ///
    /// At most half of it is in use; an id that finds its slot taken goes into the next free one.
    private var slots = [Int](repeating: 0, count: 256)

    package private(set) var placedCount = 0
    package private(set) var confirmedCount = 0
    package private(set) var cancelledCount = 0
    package private(set) var confirmedTotal = Money.zero
    package private(set) var unitsShipped = 0
    /// Whether an order has more lines than the book keeps apart.
    package private(set) var hasUnjudgedLines = false

    package init() {}

    /// Returns what the log says of an order; nil where it never mentions it.
    package subscript(order: OrderID) -> Entry? {
        let place = self.slots[self.slot(of: order)] - 1
        return place < 0 ? nil : self.entries[place]
    }

    /// Takes in an event; returns the place of its order, and whether it changed nothing.
    package func happened(
        _ event: ShopEvent,
        at position: UInt64
    ) -> (order: Int, isRepeat: Bool) {
        guard let id = event.order else { return (-1, false) }
        let place = self.place(of: id)
        return (place, self.update(&self.entries[place], event, position))
    }

    private func place(of id: OrderID) -> Int {
        let slot = self.slot(of: id)
        if self.slots[slot] > 0 { return self.slots[slot] - 1 }
        self.entries.append(Entry(id: id))
        self.slots[slot] = self.entries.count
        if self.entries.count * 2 > self.slots.count { self.growSlots() }
        return self.entries.count - 1
    }

    /// Returns where an order's place stands, or is to stand.
    private func slot(of id: OrderID) -> Int {
        let mask = self.slots.count - 1
        var slot = Int(truncatingIfNeeded: StableHash.of(id.rawValue)) & mask
        while self.slots[slot] > 0, self.entries[self.slots[slot] - 1].id != id {
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func growSlots() {
        self.slots = [Int](repeating: 0, count: self.slots.count * 2)
        for place in self.entries.indices {
            self.slots[self.slot(of: self.entries[place].id)] = place + 1
        }
    }

    /// Returns whether the event changed nothing.
    private func update(
        _ entry: inout Entry,
        _ event: ShopEvent,
        _ position: UInt64
    ) -> Bool {
        switch event {
        case .placed(let event):
            entry.placements += 1
            guard entry.placements == 1 else { return true }
            entry.placedAt = position
            entry.total = event.total
            entry.lineCount = event.lines.count
            entry.quantity = event.lines.reduce(0) { $0 &+ $1.quantity }
            if event.lines.count > 64 { self.hasUnjudgedLines = true }
            self.placedCount += 1
            return false

        case .confirmed:
            if self.end(&entry, .confirmed, position) { return true }
            self.confirmedCount += 1
            self.confirmedTotal += entry.total
            return false

        case .cancelled:
            if self.end(&entry, .cancelled, position) { return true }
            self.cancelledCount += 1
            return false

        case .stockReserved(let event): return Self.set(event.line, in: &entry.reserved)
        case .stockReleased(let event): return Self.set(event.line, in: &entry.released)

        case .stockShipped(let event):
            if Self.set(event.line, in: &entry.shipped) { return true }
            self.unitsShipped &+= event.quantity
            return false

        case .captured(let event):
            guard entry.captured == nil else { return true }
            entry.captured = event.amount
            return false

        case .refunded(let event):
            guard entry.refunded == nil else { return true }
            entry.refunded = event.amount
            return false

        case .notified:
            entry.notifications += 1
            return entry.notifications > 1

        case .stockRefused, .stockSupplied, .declined, .reported: return false
        }
    }

    private func end(_ entry: inout Entry, _ end: End, _ position: UInt64) -> Bool {
        entry.ends += 1
        guard entry.end == nil else { return true }
        entry.end = end
        entry.endedAt = position
        return false
    }

    /// Returns whether the line was set before; lines beyond the mask count as new each time.
    private static func set(_ line: Int, in mask: inout UInt64) -> Bool {
        guard line >= 0, line < 64 else { return false }
        let bit: UInt64 = 1 << UInt64(line)
        if mask & bit != 0 { return true }
        mask |= bit
        return false
    }
}
