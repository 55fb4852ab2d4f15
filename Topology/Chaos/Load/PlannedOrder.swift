import Events
import Mesh

/// An order, and when a shopper means to place it.
package struct PlannedOrder: Sendable, Hashable {
    /// Counts the orders of a load from 1.
    package var sequence: UInt64
    /// When it should be sent; latencies count from here, also where sending was late.
    package var intended: Instant
    package var order: OrderPlaced

    package init(sequence: UInt64, intended: Instant, order: OrderPlaced) {
        self.sequence = sequence
        self.intended = intended
        self.order = order
    }
}
