/// A value with one list of fields, from which its binary and its JSON form both follow.
///
/// ```swift
/// public struct PaymentRequested: WireCodable {
///     public var order = OrderID()
///     public var amount = Money()
///     public init() {}
///     public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
///         try coder.field("order", &self.order)
///         try coder.field("amount", &self.amount)
///     }
/// }
/// ```
///
/// The binary form is the fields in their order, without names, so fields are only ever added at
/// the end; a decoder that runs out of bytes at a field's start leaves it and all later ones as
/// `init()` set them.
public protocol WireCodable: Sendable {
    /// Creates the value whose fields a decoder then fills.
    init()

    /// Passes each field to `coder`, in a fixed order; the same code encodes and decodes.
    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError)
}

/// What visits the fields of a ``WireCodable`` value: an encoder reads them, a decoder fills them.
public protocol FieldCoder {
    /// Whether fields are being filled, not read.
    var isDecoding: Bool { get }
    /// Codes a whole number.
    mutating func field(_ name: StaticString, _ value: inout Int64) throws(WireError)
    /// Codes a truth value.
    mutating func field(_ name: StaticString, _ value: inout Bool) throws(WireError)
    /// Codes a text.
    mutating func field(_ name: StaticString, _ value: inout String) throws(WireError)
    /// Codes bytes.
    mutating func field(_ name: StaticString, _ value: inout [UInt8]) throws(WireError)
    /// Codes a value with fields of its own.
    mutating func field<T: WireCodable>(_ name: StaticString, _ value: inout T) throws(WireError)
    /// Codes a list of values with fields of their own.
    mutating func field<T: WireCodable>(_ name: StaticString, _ value: inout [T]) throws(WireError)
}

extension FieldCoder {
    /// Codes a whole number.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout Int) throws(WireError) {
        var wide = Int64(value)
        try self.field(name, &wide)
        value = Int(wide)
    }

    /// Codes an instant, as nanoseconds since 1970.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout Instant) throws(WireError) {
        try self.field(name, &value.nanoseconds)
    }

    /// Codes a wrapped text, such as an order's id or an enumeration with text values.
    @inlinable
    public mutating func field<T: RawRepresentable<String>>(
        _ name: StaticString,
        _ value: inout T
    ) throws(WireError) {
        var raw = value.rawValue
        try self.field(name, &raw)
        guard self.isDecoding else { return }
        guard let decoded = T(rawValue: raw) else {
            throw WireError("field \(name): '\(raw)' is not a \(T.self)")
        }
        value = decoded
    }

    /// Codes a wrapped whole number, such as an amount of money in cents.
    @inlinable
    public mutating func field<T: RawRepresentable<Int64>>(
        _ name: StaticString,
        _ value: inout T
    ) throws(WireError) {
        var raw = value.rawValue
        try self.field(name, &raw)
        guard self.isDecoding else { return }
        guard let decoded = T(rawValue: raw) else {
            throw WireError("field \(name): \(raw) is not a \(T.self)")
        }
        value = decoded
    }
}

extension WireWriter {
    /// Appends the binary form of a value.
    @inlinable
    mutating func fields(of value: some WireCodable) {
        var copy = value
        self.fields(of: &copy)
    }

    /// Appends the binary form of a value in its place: to copy it would count its references.
    @inlinable
    mutating func fields(of value: inout some WireCodable) {
        var coder = BinaryEncoder()
        swap(&coder.writer, &self)
        // Encoding reads fields and has nothing to refuse.
        do { try value.fields(&coder) } catch { preconditionFailure("encoding failed: \(error)") }
        swap(&coder.writer, &self)
    }
}

extension WireCodable {
    /// The value's binary form.
    @inlinable
    public func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.bytes.reserveCapacity(96)
        writer.fields(of: self)
        return writer.bytes
    }

    /// Reads the value from its binary form.
    ///
    /// - Throws: `WireError` when a field is cut short or holds what its type does not allow.
    @inlinable
    public init(decoding bytes: [UInt8]) throws(WireError) {
        self.init()
        var failure: WireError?
        bytes.withUnsafeBytes { raw in
            var coder = BinaryDecoder(reader: WireReader(raw))
            do throws(WireError) { try self.fields(&coder) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// The value's JSON form: an object with its fields in their order.
    public var json: JSONValue {
        var coder = JSONFieldEncoder()
        var copy = self
        do { try copy.fields(&coder) } catch { preconditionFailure("encoding failed: \(error)") }
        return .object(coder.members)
    }

    /// Reads the value from its JSON form; absent fields keep what `init()` gave them.
    ///
    /// - Throws: `WireError` naming the field whose value has the wrong type.
    public init(json: JSONValue) throws(WireError) {
        self.init()
        guard case .object(let members) = json else {
            throw WireError("expected an object, found \(json.kind)")
        }
        var coder = JSONFieldDecoder(members: members)
        try self.fields(&coder)
    }
}
