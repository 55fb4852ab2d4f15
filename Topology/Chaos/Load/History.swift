import Events
import Mesh

/// Recorded orders that drive a load: rows of `customer,date,quantity,dollars`.
///
/// Each row is one order of one line. Its id is `order-ROW`, with the row's number in the file
/// from 1, so that rows that are equal remain orders of their own.
package struct History: Sendable, Hashable {
    /// One recorded order.
    package struct Row: Sendable, Hashable {
        /// The row's number in the file, the first after the heading being 1.
        package var number: Int
        package var customer: String
        /// Days since 1970-01-01.
        package var day: Int
        package var quantity: Int
        package var amount: Money
    }

    /// The rows by date, those of one day in the file's order.
    package let rows: [Row]

    /// Reads a history.
    ///
    /// - Throws: `HistoryError` with every bad row, up to 20 of them.
    package init(parsing text: [UInt8], file: String) throws(HistoryError) {
        var parser = HistoryParser(text: text, file: file)
        let rows = parser.parse()
        guard parser.problems.isEmpty else {
            throw HistoryError(problems: parser.problems, more: parser.unlisted)
        }
        self.rows = rows.sorted { ($0.day, $0.number) < ($1.day, $1.number) }
    }

    /// How many different customers ordered.
    package var customerCount: Int { Set(self.rows.map(\.customer)).count }

    /// The pieces of all orders together.
    package var quantity: Int { self.rows.reduce(0) { $0 + $1.quantity } }

    /// The value of all orders together.
    package var amount: Money { self.rows.reduce(.zero) { $0 + $1.amount } }

    /// Returns a row as the order that a shopper places.
    package func order(_ row: Row, catalogue: Catalogue) -> OrderPlaced {
        var random = SeededRandom(seed: StableHash.combine(UInt64(row.number), 0x6869_7374))
        let product = catalogue.product(
            random.below(catalogue.products),
            in: random.below(catalogue.warehouses)
        )
        let line = OrderLine(product: product, quantity: row.quantity, amount: row.amount)
        return OrderPlaced(
            order: OrderID("order-\(row.number)"),
            customer: CustomerID(row.customer),
            lines: [line],
            total: row.amount
        )
    }
}

/// Why a history could not be read: every bad place.
package struct HistoryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One bad place.
    package struct Problem: Sendable, Hashable, CustomStringConvertible {
        package var file: String
        package var line: Int
        package var column: Int
        package var message: String

        package var description: String {
            "\(self.file):\(self.line):\(self.column): \(self.message)"
        }
    }

    package var problems: [Problem]
    /// How many more there are than are listed.
    package var more: Int

    package var description: String {
        let lines = self.problems.map(\.description)
        return (lines + (self.more > 0 ? ["and \(self.more) more"] : [])).joined(separator: "\n")
    }
}
