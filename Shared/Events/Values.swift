public import Mesh

/// The id of an order.
public struct OrderID: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The id's text.
    public var rawValue: String
    /// Creates the id with that text.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Creates the id with that text; empty by default.
    public init(_ text: String = "") { self.rawValue = text }
    /// The id's text.
    public var description: String { self.rawValue }
    /// Orders ids by their text.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The id of a customer.
public struct CustomerID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The id's text.
    public var rawValue: String
    /// Creates the id with that text.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Creates the id with that text; empty by default.
    public init(_ text: String = "") { self.rawValue = text }
    /// The id's text.
    public var description: String { self.rawValue }
}

/// What stock is counted by: a product in a warehouse, written `warehouse/product`.
public struct ProductID: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The id's text.
    public var rawValue: String
    /// Creates the id with that text.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Creates the id with that text; empty by default.
    public init(_ text: String = "") { self.rawValue = text }
    /// The id's text.
    public var description: String { self.rawValue }
    /// Orders ids by their text.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// An amount of money, in whole cents.
public struct Money: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The cents.
    public var rawValue: Int64
    /// Creates an amount of that many cents.
    public init(rawValue: Int64) { self.rawValue = rawValue }
    /// Creates an amount of that many cents; nothing by default.
    public init(cents: Int64 = 0) { self.rawValue = cents }
    /// Nothing.
    public static let zero = Money()
    /// The amount as people write it: `$1,234.50`.
    public var description: String {
        let cents = self.rawValue.magnitude
        let digits = String(cents / 100).utf8
        var text = self.rawValue < 0 ? "-$" : "$"
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.unicodeScalars.append(Unicode.Scalar(digit))
        }
        let fraction = cents % 100
        return text + (fraction < 10 ? ".0" : ".") + String(fraction)
    }
    /// Orders amounts by their size.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    /// Adds two amounts; traps on overflow.
    public static func + (left: Self, right: Self) -> Self {
        Self(cents: left.rawValue + right.rawValue)
    }
    /// Subtracts two amounts; traps on overflow.
    public static func - (left: Self, right: Self) -> Self {
        Self(cents: left.rawValue - right.rawValue)
    }
    /// Adds to an amount; traps on overflow.
    public static func += (left: inout Self, right: Self) { left.rawValue += right.rawValue }
    /// Subtracts from an amount; traps on overflow.
    public static func -= (left: inout Self, right: Self) { left.rawValue -= right.rawValue }
}

/// One line of an order.
public struct OrderLine: WireCodable, Hashable {
    /// What is bought.
    public var product = ProductID()
    /// How many; at least 1.
    public var quantity = 0
    /// The price of the whole line.
    public var amount = Money()

    /// Creates an empty line.
    public init() {}

    /// Creates a line.
    public init(product: ProductID, quantity: Int, amount: Money) {
        self.product = product
        self.quantity = quantity
        self.amount = amount
    }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
        try coder.field("amount", &self.amount)
    }
}
