/// Collects the fields of a value as the members of a JSON object.
public struct JSONFieldEncoder: FieldCoder {
    /// The members so far.
    public var members: [JSONValue.Member] = []

    /// Creates an encoder with no members.
    public init() {}

    /// Always false.
    public var isDecoding: Bool { false }

    /// Adds a number.
    public mutating func field(_ name: StaticString, _ value: inout Int64) {
        self.add(name, .int(value))
    }

    /// Adds a truth value.
    public mutating func field(_ name: StaticString, _ value: inout Bool) {
        self.add(name, .bool(value))
    }

    /// Adds a text.
    public mutating func field(_ name: StaticString, _ value: inout String) {
        self.add(name, .string(value))
    }

    /// Adds bytes, as a hexadecimal text.
    public mutating func field(_ name: StaticString, _ value: inout [UInt8]) {
        self.add(name, .string(Hex.text(value)))
    }

    /// Adds an object.
    public mutating func field<T: WireCodable>(_ name: StaticString, _ value: inout T) {
        self.add(name, value.json)
    }

    /// Adds a list of objects.
    public mutating func field<T: WireCodable>(_ name: StaticString, _ value: inout [T]) {
        self.add(name, .array(value.map(\.json)))
    }

    private mutating func add(_ name: StaticString, _ value: JSONValue) {
        self.members.append(JSONValue.Member("\(name)", value))
    }
}

/// Fills the fields of a value from the members of a JSON object.
public struct JSONFieldDecoder: FieldCoder {
    private let members: [JSONValue.Member]

    /// Creates a decoder of these members.
    public init(members: [JSONValue.Member]) {
        self.members = members
    }

    /// Always true.
    public var isDecoding: Bool { true }

    /// Reads a whole number.
    public mutating func field(_ name: StaticString, _ value: inout Int64) throws(WireError) {
        guard let found = self.member(name) else { return }
        guard case .int(let number) = found else {
            throw self.wrong(name, "a whole number", found)
        }
        value = number
    }

    /// Reads a truth value.
    public mutating func field(_ name: StaticString, _ value: inout Bool) throws(WireError) {
        guard let found = self.member(name) else { return }
        guard case .bool(let truth) = found else { throw self.wrong(name, "true or false", found) }
        value = truth
    }

    /// Reads a text.
    public mutating func field(_ name: StaticString, _ value: inout String) throws(WireError) {
        guard let found = self.member(name) else { return }
        guard case .string(let text) = found else { throw self.wrong(name, "a text", found) }
        value = text
    }

    /// Reads bytes from a hexadecimal text.
    public mutating func field(_ name: StaticString, _ value: inout [UInt8]) throws(WireError) {
        guard let found = self.member(name) else { return }
        guard case .string(let text) = found, let bytes = Hex.bytes(text) else {
            throw self.wrong(name, "a hexadecimal text", found)
        }
        value = bytes
    }

    /// Reads an object.
    public mutating func field<T: WireCodable>(
        _ name: StaticString,
        _ value: inout T
    ) throws(WireError) {
        guard let found = self.member(name) else { return }
        do {
            value = try T(json: found)
        } catch {
            throw WireError("field \(name): \(error.message)")
        }
    }

    /// Reads a list of objects.
    public mutating func field<T: WireCodable>(
        _ name: StaticString,
        _ value: inout [T]
    ) throws(WireError) {
        guard let found = self.member(name) else { return }
        guard case .array(let elements) = found else { throw self.wrong(name, "a list", found) }
        var decoded: [T] = []
        for (index, element) in elements.enumerated() {
            do {
                decoded.append(try T(json: element))
            } catch {
                throw WireError("field \(name)[\(index)]: \(error.message)")
            }
        }
        value = decoded
    }

    private func member(_ name: StaticString) -> JSONValue? {
        let name = "\(name)"
        return self.members.first { $0.name == name }?.value
    }

    private func wrong(_ name: StaticString, _ wanted: String, _ found: JSONValue) -> WireError {
        WireError("field \(name): expected \(wanted), found \(found.kind)")
    }
}
