import Events
import Mesh

/// The products that are for sale, and what they cost.
package struct Catalogue: Sendable, Hashable {
    /// How many different products there are; `p-1` is the first.
    package var products: Int
    /// How many warehouses keep them; `w1` is the first.
    package var warehouses: Int

    package init(products: Int = 100, warehouses: Int = 1) {
        precondition(products > 0 && warehouses > 0, "a catalogue has a product and a warehouse")
        self.products = products
        self.warehouses = warehouses
    }

    /// Returns the id of a product, counted from 0, in a warehouse, counted from 0.
    package func product(_ number: Int, in warehouse: Int) -> ProductID {
        ProductID("w\(warehouse + 1)/p-\(number + 1)")
    }

    /// Returns the price of one piece: $4.99 to $49.99, the same in every run.
    package func price(of number: Int) -> Money {
        let step = StableHash.combine(UInt64(number), 0x5075_6963) % 46
        return Money(cents: 499 + 100 * Int64(step))
    }
}
