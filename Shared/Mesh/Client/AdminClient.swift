/// Asks and commands the hub, and hears what it announces.
///
/// Pure, like ``ServiceClient``.
package struct AdminClient: Sendable {
    package enum Action: Sendable, Hashable {
        /// The hub let the client in.
        case welcomed
        /// The answer to the request of that number.
        case answered(number: UInt64, JSONValue)
        /// Something happened: an instance is ready, or gone.
        case noticed(JSONValue)
        /// The log is durable up to here: once, until ``AdminClient/follow()`` (observers only).
        case durable(position: UInt64)
        /// The hub does not let this client in.
        case shutOut(Refusal)
    }

    private let hello: Hello
    private var out = WireWriter()
    private var last: UInt64 = 0
    /// Up to where the hub has said that the log is durable.
    private var durable: UInt64 = 0

    /// Creates a client; its role must be `.admin` or `.observer`.
    package init(hello: Hello) {
        self.hello = hello
    }

    /// Returns the frames to send, and forgets them.
    package mutating func takeOutput() -> [UInt8] {
        defer { self.out.bytes = [] }
        return self.out.bytes
    }

    package mutating func connected() {
        self.durable = 0
        self.out = WireWriter()
        self.hello.encode(into: &self.out)
    }

    package mutating func disconnected() {
        self.out = WireWriter()
    }

    /// Sends a request; returns its number, which the answer will carry.
    package mutating func ask(_ request: JSONValue) -> UInt64 {
        self.last += 1
        let number = self.last
        self.out.frame(.admin) {
            $0.varint(number)
            $0.text(request.text)
        }
        return number
    }

    /// Wants to hear when the log has grown beyond what was said last.
    package mutating func follow() {
        self.out.frame(.follow) { $0.varint(self.durable) }
    }

    /// A frame has arrived; `frame` is its body.
    package mutating func received(
        _ frame: UnsafeRawBufferPointer
    ) throws(WireError) -> [Action] {
        var reader = WireReader(frame)
        let code = try reader.u8()
        switch Frame.FromHub(rawValue: code) {
        case .welcome: return [.welcomed]
        case .durable:
            self.durable = try reader.varint()
            return [.durable(position: self.durable)]
        case .answer:
            let number = try reader.varint()
            return [.answered(number: number, try Self.json(&reader))]
        case .notice: return [.noticed(try Self.json(&reader))]
        case .refused:
            let code = Refusal.Code(rawValue: try reader.u8()) ?? .malformed
            return [.shutOut(Refusal(code, try reader.text()))]
        default:
            throw WireError("the hub sent a frame of kind \(code), which is not for this client")
        }
    }

    private static func json(_ reader: inout WireReader) throws(WireError) -> JSONValue {
        let text = try reader.text()
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw WireError("the hub sent what is not JSON: \(error)")
        }
    }
}
