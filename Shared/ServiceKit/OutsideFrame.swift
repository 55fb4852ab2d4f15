public import Mesh

/// What travels between a caller and an outside party: `[u32 length][u8 kind][u64 id][body]`, the
/// numbers little-endian, the length that of everything after it.
///
/// A request and its answer carry the same id, which the caller chooses.
public struct OutsideFrame: Sendable, Hashable {
    /// What a frame is.
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// A request to the party, in its binary form.
        case request = 1
        /// The party's answer, in its binary form.
        case answer = 2
        /// A command to the party's process, in JSON.
        case adminRequest = 3
        /// The answer to a command, in JSON.
        case adminAnswer = 4
    }

    /// The largest frame in bytes, its length prefix left out.
    public static let bytesMax = 65_536

    /// What the frame is.
    public var kind: Kind
    /// Which request it is, or answers.
    public var id: UInt64
    /// What it carries.
    public var body: [UInt8]

    /// Creates a frame.
    public init(kind: Kind, id: UInt64, body: [UInt8]) {
        self.kind = kind
        self.id = id
        self.body = body
    }

    /// The frame's bytes, its length prefix included.
    public var framed: [UInt8] {
        var writer = WireWriter()
        writer.bytes.reserveCapacity(self.body.count + 13)
        writer.u32(UInt32(self.body.count + 9))
        writer.u8(self.kind.rawValue)
        writer.u64(self.id)
        writer.bytes.append(contentsOf: self.body)
        return writer.bytes
    }

    /// Returns the bytes of a request, its length prefix included.
    public static func request(id: UInt64, body: [UInt8]) -> [UInt8] {
        OutsideFrame(kind: .request, id: id, body: body).framed
    }

    /// Returns the bytes of an answer, its length prefix included.
    public static func answer(id: UInt64, body: [UInt8]) -> [UInt8] {
        OutsideFrame(kind: .answer, id: id, body: body).framed
    }

    /// Reads a frame from its bytes, its length prefix left out.
    ///
    /// - Throws: `WireError` where the bytes are too few or the kind is unknown.
    public static func parse(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> OutsideFrame {
        var reader = WireReader(bytes)
        let code = try reader.u8()
        guard let kind = Kind(rawValue: code) else {
            throw WireError("\(code) is no kind of frame that an outside party knows")
        }
        let id = try reader.u64()
        return OutsideFrame(kind: kind, id: id, body: [UInt8](bytes[reader.offset...]))
    }
}
