/// A visitor that cares for records, their times and their events, and for nothing else in them.
package protocol PlaceVisitor: LogVisitor {}

extension PlaceVisitor {
    package mutating func opened(layout: UInt64) {}
    package mutating func published(publisher: String, sequence: UInt64, count: Int) {}
    package mutating func turn(service: Int, partition: Int, epoch: UInt64, sequence: UInt64) {}
    package mutating func acknowledged(topic: Int, offset: UInt64) {}
    package mutating func changed(offset: UInt64, bytes: UnsafeRawBufferPointer) {}
    package mutating func timerSet(name: String, due: Instant, envelope: UnsafeRawBufferPointer) {}
    package mutating func timerCancelled(name: String) {}
    package mutating func snapshot(_ bytes: UnsafeRawBufferPointer) {}
    package mutating func assigned(
        service: Int,
        partition: Int,
        epoch: UInt64,
        instance: String,
        isProjection: Bool
    ) {}
    package mutating func timerFired(service: Int, partition: Int, name: String) {}
    package mutating func deadLettered(_ letter: DeadLetterHead, envelope: UnsafeRawBufferPointer) {
    }
    package mutating func redriven(service: Int, number: UInt64) {}
    package mutating func rewound(service: Int, partition: Int, topic: Int, offset: UInt64) {}
    package mutating func closed() {}
    package mutating func checkpoint(_ state: UnsafeRawBufferPointer) {}
}
