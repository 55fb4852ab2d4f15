/// Writes the bodies of log records; ``RecordParser`` reads them.
///
/// A record in a segment is `[UInt32 length][UInt64 check][body]`, little-endian; the check is the
/// stable hash of the body seeded with the record's position, so that a record moved or repeated
/// is noticed like one whose bits have flipped.
package enum RecordFormat {
    package static let headerBytes = 12
    package static let segmentHeaderBytes = 16
    package static let magic: UInt64 = 0x3330_4C4C_4155_5153  // "SQUALL03"
    /// The largest body that a reader takes seriously.
    package static let bodyBytesMax = 64 * 1024 * 1024

    package enum Kind: UInt8 {
        case opened = 1
        case published, turn, assigned, timerFired, deadLettered, redriven, rewound, closed
        case checkpoint
    }
}

extension WireWriter {
    package mutating func record(_ kind: RecordFormat.Kind, at time: Instant) {
        self.u8(kind.rawValue)
        self.i64(time.nanoseconds)
    }

    /// Appends the place of an event; its envelope's bytes follow, counted.
    package mutating func place(topic: Int, partition: Int, offset: UInt64) {
        self.varint(UInt64(topic))
        self.varint(UInt64(partition))
        self.varint(offset)
    }
}

/// What a parsed record is told to, part by part, in the order of the record.
package protocol RecordVisitor: ~Copyable {
    mutating func opened(layout: UInt64)
    /// `count` events follow, of which the last has the number `sequence`; none is missing.
    mutating func published(publisher: String, sequence: UInt64, count: Int)
    mutating func turn(service: Int, partition: Int, epoch: UInt64, sequence: UInt64)
    mutating func acknowledged(topic: Int, offset: UInt64)
    /// `at` is the offset in the record's body of the envelope's first byte.
    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) throws(WireError)
    mutating func changed(offset: UInt64, bytes: UnsafeRawBufferPointer)
    mutating func timerSet(
        name: String,
        due: Instant,
        envelope: UnsafeRawBufferPointer
    )
        throws(WireError)
    mutating func timerCancelled(name: String)
    mutating func snapshot(_ bytes: UnsafeRawBufferPointer)
    mutating func assigned(
        service: Int,
        partition: Int,
        epoch: UInt64,
        instance: String,
        isProjection: Bool
    )
    mutating func timerFired(service: Int, partition: Int, name: String)
    mutating func deadLettered(
        _ letter: DeadLetterHead,
        envelope: UnsafeRawBufferPointer
    ) throws(WireError)
    mutating func redriven(service: Int, number: UInt64)
    mutating func rewound(service: Int, partition: Int, topic: Int, offset: UInt64)
    mutating func closed()
    mutating func checkpoint(_ state: UnsafeRawBufferPointer) throws(WireError)
}

/// A dead letter without its event.
package struct DeadLetterHead: Sendable, Hashable {
    package var number: UInt64
    package var service: Int
    package var partition: Int
    package var topic: Int
    package var offset: UInt64
    package var attempts: Int
    package var error: String

    package init(
        number: UInt64,
        service: Int,
        partition: Int,
        topic: Int,
        offset: UInt64,
        attempts: Int,
        error: String
    ) {
        self.number = number
        self.service = service
        self.partition = partition
        self.topic = topic
        self.offset = offset
        self.attempts = attempts
        self.error = error
    }
}
