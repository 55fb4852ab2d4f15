/// A frame inside another that carries a check of it: what a link on which bytes are flipped needs.
///
/// Sockets of one machine do not flip bytes, so frames go unsealed while no such fault is armed.
/// Then each end seals what may be hit, and what does not match its check counts as lost: it is
/// never acted upon.
enum Seal {
    /// The kind and the check before the frame inside.
    static let headerBytes = 9

    /// Returns the whole frame that seals a frame of this body.
    static func sealed(_ body: UnsafeRawBufferPointer, as kind: UInt8) -> [UInt8] {
        var writer = WireWriter()
        writer.bytes.reserveCapacity(4 + self.headerBytes + body.count)
        let start = writer.beginFrame(kind)
        writer.u64(StableHash.of(body))
        writer.bytes.append(contentsOf: body)
        writer.endFrame(start)
        return writer.bytes
    }

    /// Seals each of some whole frames.
    static func sealed(frames: [UInt8], as kind: UInt8) -> [UInt8] {
        var result: [UInt8] = []
        frames.withUnsafeBytes { raw in
            var offset = 0
            while offset + 4 <= raw.count {
                let length = Int(
                    raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
                )
                let body = UnsafeRawBufferPointer(
                    rebasing: raw[(offset + 4)..<(offset + 4 + length)]
                )
                result += self.sealed(body, as: kind)
                offset += 4 + length
            }
        }
        return result
    }

    /// Returns the body of the frame inside, or nil where a byte of it is not what was sent; with
    /// the planted bug `isFlawed` that does not matter.
    static func opened(
        _ body: UnsafeRawBufferPointer,
        isFlawed: Bool = false
    ) -> UnsafeRawBufferPointer? {
        guard body.count > self.headerBytes else { return nil }
        let check = body.loadUnaligned(fromByteOffset: 1, as: UInt64.self).littleEndian
        let inside = UnsafeRawBufferPointer(rebasing: body[self.headerBytes...])
        // A seal in a seal would let a client make us open millions.
        guard inside.first != body.first else { return nil }
        return StableHash.of(inside) == check || isFlawed ? inside : nil
    }

    /// Flips one bit of a sealed frame's body, anywhere behind its kind.
    static func flip(_ body: inout [UInt8], from start: Int, draw: UInt64) {
        let room = body.count - start - 1
        guard room > 0 else { return }
        let index = start + 1 + Int(draw % UInt64(room))
        body[index] ^= 1 << UInt8(draw >> 32 & 7)
    }
}
