import Events

extension OrderID: ExpressibleByStringLiteral {
    /// Creates the id with that text.
    public init(stringLiteral value: String) { self.init(value) }
}

extension CustomerID: ExpressibleByStringLiteral {
    /// Creates the id with that text.
    public init(stringLiteral value: String) { self.init(value) }
}
