/// One record of the physical log: what the hub made durable in one step, whole or not at all.
package struct LogRecord: Sendable, Hashable {
    /// The byte position of the record in the log; unique and ascending.
    package var position: UInt64
    /// When the hub appended it, in the hub's time.
    package var time: Instant
    package var body: Body

    package init(position: UInt64, time: Instant, body: Body) {
        self.position = position
        self.time = time
        self.body = body
    }

    package enum Body: Sendable, Hashable {
        /// The first record of a log: the fingerprint of the layout it was written with.
        case opened(layout: UInt64)
        /// An outside party published events; `sequence` is that of the last one.
        case published(publisher: String, sequence: UInt64, events: [RecordedEvent])
        /// A service handled events.
        case turn(RecordedTurn)
        /// A partition of a service got a new owner.
        case assigned(service: Int, partition: Int, epoch: UInt64, instance: String)
        /// A timer came due; its event entered the service's inbox.
        case timerFired(service: Int, partition: Int, name: String, event: RecordedEvent)
        /// A delivery was given up.
        case deadLettered(DeadLetter)
        /// A dead letter was put into the service's inbox again; `number` is its number.
        case redriven(service: Int, number: UInt64, event: RecordedEvent)
        /// A service's place in a topic was set.
        case rewound(service: Int, partition: Int, topic: Int, offset: UInt64)
        /// The hub shut down in order; nothing after this was ever durable.
        case closed
        /// The hub's state at the start of a segment, from which a recovery may begin.
        case checkpoint
    }
}

/// An event at its place in a topic.
package struct RecordedEvent: Sendable, Hashable {
    package var topic: Int
    package var partition: Int
    package var offset: UInt64
    package var event: EventEnvelope

    package init(topic: Int, partition: Int, offset: UInt64, event: EventEnvelope) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.event = event
    }
}

/// The place of an event that a service has done with; the partition is that of the turn.
package struct Acknowledgement: Sendable, Hashable {
    package var topic: Int
    package var offset: UInt64

    package init(topic: Int, offset: UInt64) {
        self.topic = topic
        self.offset = offset
    }
}

/// Offsets of a topic, without a gap, that a service has done with.
package struct AcknowledgedRun: Sendable, Hashable {
    package var topic: Int
    package var offsets: Range<UInt64>

    package init(topic: Int, offsets: Range<UInt64>) {
        self.topic = topic
        self.offsets = offsets
    }

    package init(_ place: Acknowledgement) {
        self.init(topic: place.topic, offsets: place.offset..<place.offset + 1)
    }

    /// Each offset for itself.
    var places: [Acknowledgement] {
        self.offsets.map { Acknowledgement(topic: self.topic, offset: $0) }
    }
}

/// A timer that a turn sets: at `due`, `event` enters the service's inbox.
package struct TimerRequest: Sendable, Hashable {
    /// Unique in its partition; setting it again replaces it.
    package var name: String
    package var due: Instant
    package var event: EventEnvelope

    package init(name: String, due: Instant, event: EventEnvelope) {
        self.name = name
        self.due = due
        self.event = event
    }
}

/// A committed turn: acknowledgements, emitted events, changes and timers as one.
package struct RecordedTurn: Sendable, Hashable {
    package var service: Int
    package var partition: Int
    package var epoch: UInt64
    /// 1 for the first commit of an epoch, then without gaps.
    package var sequence: UInt64
    package var acknowledged: [Acknowledgement] = []
    package var events: [RecordedEvent] = []
    /// The offset in the journal of the first change.
    package var firstChange: UInt64 = 0
    package var changes: [[UInt8]] = []
    package var timersSet: [TimerRequest] = []
    package var timersCancelled: [String] = []
    /// The service's whole state after this turn, where it took a snapshot.
    package var snapshot: [UInt8]?

    package init(service: Int, partition: Int, epoch: UInt64, sequence: UInt64) {
        self.service = service
        self.partition = partition
        self.epoch = epoch
        self.sequence = sequence
    }
}

/// A delivery that a service failed to handle as often as the limit allows.
package struct DeadLetter: Sendable, Hashable {
    /// Counts a service's dead letters from 1.
    package var number: UInt64
    package var service: Int
    package var partition: Int
    package var topic: Int
    package var offset: UInt64
    package var attempts: Int
    /// What the last attempt threw.
    package var error: String
    package var event: EventEnvelope

    package init(
        number: UInt64,
        service: Int,
        partition: Int,
        topic: Int,
        offset: UInt64,
        attempts: Int,
        error: String,
        event: EventEnvelope
    ) {
        self.number = number
        self.service = service
        self.partition = partition
        self.topic = topic
        self.offset = offset
        self.attempts = attempts
        self.error = error
        self.event = event
    }

    /// Puts a dead letter and its event together.
    init(_ head: DeadLetterHead, event: EventEnvelope) {
        self.init(
            number: head.number,
            service: head.service,
            partition: head.partition,
            topic: head.topic,
            offset: head.offset,
            attempts: head.attempts,
            error: head.error,
            event: event
        )
    }
}
