/// A visitor that cares for events only.
protocol PlaceVisitor: LogVisitor {}

extension PlaceVisitor {
    mutating func opened(layout: UInt64) {}
    mutating func published(publisher: String, sequence: UInt64) {}
    mutating func turn(service: Int, partition: Int, epoch: UInt64, sequence: UInt64) {}
    mutating func acknowledged(topic: Int, offset: UInt64) {}
    mutating func changed(offset: UInt64, bytes: UnsafeRawBufferPointer) {}
    mutating func timerSet(name: String, due: Instant, envelope: UnsafeRawBufferPointer) {}
    mutating func timerCancelled(name: String) {}
    mutating func snapshot(_ bytes: UnsafeRawBufferPointer) {}
    mutating func assigned(service: Int, partition: Int, epoch: UInt64, instance: String) {}
    mutating func timerFired(service: Int, partition: Int, name: String) {}
    mutating func deadLettered(_ letter: DeadLetterHead, envelope: UnsafeRawBufferPointer) {}
    mutating func redriven(service: Int, number: UInt64) {}
    mutating func rewound(service: Int, partition: Int, topic: Int, offset: UInt64) {}
    mutating func closed() {}
    mutating func checkpoint(_ state: UnsafeRawBufferPointer) {}
}
