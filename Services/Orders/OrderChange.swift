import Events
public import Mesh

/// What Orders keeps in its journal.
public struct OrderChange: WireCodable, Hashable {
    enum Kind: Int64, Sendable {
        case opened = 1
        case lineReserved = 2
        case lineRefused = 3
        case paymentRequested = 4
        case confirmed = 5
        case cancelled = 6
    }

    var kind = Kind.opened
    var order = OrderID()
    /// Which line, where the change is about one.
    var line = 0
    /// The order as it was opened; empty for all other changes.
    var opened = OpenOrder()

    /// Creates an empty change.
    public init() {}

    private init(_ kind: Kind, _ order: OrderID, line: Int = 0) {
        self.kind = kind
        self.order = order
        self.line = line
    }

    static func opened(_ order: OpenOrder) -> Self {
        var change = Self(.opened, order.order)
        change.opened = order
        return change
    }

    static func reserved(_ order: OrderID, line: Int) -> Self {
        Self(.lineReserved, order, line: line)
    }

    static func refused(_ order: OrderID, line: Int) -> Self {
        Self(.lineRefused, order, line: line)
    }

    static func paymentRequested(_ order: OrderID) -> Self { Self(.paymentRequested, order) }
    static func confirmed(_ order: OrderID) -> Self { Self(.confirmed, order) }
    static func cancelled(_ order: OrderID) -> Self { Self(.cancelled, order) }

    /// Codes the fields.
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("kind", &self.kind)
        try coder.field("order", &self.order)
        switch self.kind {
        case .opened: try coder.field("opened", &self.opened)
        case .lineReserved, .lineRefused: try coder.field("line", &self.line)
        case .paymentRequested, .confirmed, .cancelled: break
        }
    }
}
