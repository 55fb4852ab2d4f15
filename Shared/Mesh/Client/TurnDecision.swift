/// What a turn adds to the acknowledgement of its event, in the form in which a commit carries it.
///
/// A class that is emptied for the next turn with ``removeAll()``: its room serves them all. Public
/// only so that the compiler makes anew for each event what writes it.
public final class TurnDecision: @unchecked Sendable {
    // Confined to the executor of the service, like the turn that fills it.

    /// Some parts of a commit, one behind the other.
    @usableFromInline
    struct Parts {
        @usableFromInline var count = 0
        @usableFromInline var writer = WireWriter()

        /// Mutating only so that what is written lies where it is: it would be copied otherwise.
        mutating func encode(into frame: inout WireWriter) {
            frame.varint(UInt64(self.count))
            if self.count > 0 { frame.bytes.append(contentsOf: self.writer.bytes) }
        }

        mutating func removeAll() {
            guard self.count > 0 else { return }
            self.count = 0
            // The room of an uncommonly large turn is given back.
            let isUsual = self.writer.bytes.count <= Frame.batchBytes
            self.writer.bytes.removeAll(keepingCapacity: isUsual)
        }
    }

    @usableFromInline var emitted = Parts()
    @usableFromInline var changes = Parts()
    @usableFromInline var timersSet = Parts()
    private var timersCancelled = Parts()
    package var snapshot: [UInt8]?
    /// How many bytes the recorded changes have.
    package private(set) var changeBytes = 0

    package init() {}

    /// Whether an event is emitted.
    package var emits: Bool { self.emitted.count > 0 }
    /// How many events are emitted and timers set.
    package var eventCount: Int { self.emitted.count + self.timersSet.count }

    /// Emits an event, given in its binary form, to the topic of that number.
    package func emit(_ envelope: [UInt8], to topic: Int) {
        self.emitted.count += 1
        self.emitted.writer.varint(UInt64(topic))
        self.emitted.writer.counted(envelope)
    }

    /// Emits an event, its data being the fields of `content`.
    @inlinable
    public func emit(
        _ event: EventEnvelope,
        carrying content: some WireCodable,
        to topic: Int
    ) {
        self.emitted.count += 1
        self.emitted.writer.varint(UInt64(topic))
        self.emitted.writer.countedInPlace { event.encode(into: &$0, carrying: content) }
    }

    /// Records a change, given in its binary form.
    package func record(_ change: [UInt8]) {
        self.changes.writer.counted(change)
        self.recorded(change.count)
    }

    /// Records a change, which stays what it is.
    @inlinable
    public func record(_ change: inout some WireCodable) {
        let count = self.changes.writer.countedInPlace(lengthBytes: 1) {
            $0.fields(of: &change)
        }
        self.recorded(count)
    }

    @usableFromInline
    func recorded(_ bytes: Int) {
        self.changes.count += 1
        self.changeBytes += bytes
    }

    /// Sets a timer.
    package func set(_ timer: TimerRequest) {
        self.set(timer: timer.name, due: timer.due) { timer.event.encode(into: &$0) }
    }

    /// Sets a timer whose event's data are the fields of `content`.
    @inlinable
    public func set(
        timer name: String,
        due: Instant,
        _ event: EventEnvelope,
        carrying content: some WireCodable
    ) {
        self.set(timer: name, due: due) { event.encode(into: &$0, carrying: content) }
    }

    @inlinable
    func set(timer name: String, due: Instant, _ write: (inout WireWriter) -> Void) {
        self.timersSet.count += 1
        self.timersSet.writer.text(name)
        self.timersSet.writer.i64(due.nanoseconds)
        self.timersSet.writer.countedInPlace(write)
    }

    /// Cancels a timer.
    package func cancel(timer name: String) {
        self.timersCancelled.count += 1
        self.timersCancelled.writer.text(name)
    }

    /// Makes it that of a turn that has decided nothing yet.
    package func removeAll() {
        self.emitted.removeAll()
        self.changes.removeAll()
        self.timersSet.removeAll()
        self.timersCancelled.removeAll()
        self.snapshot = nil
        self.changeBytes = 0
    }

    /// Takes out everything but the emitted events: for a planted bug.
    package func takeAllButEmitted() -> TurnDecision {
        let rest = TurnDecision()
        swap(&rest.changes, &self.changes)
        swap(&rest.timersSet, &self.timersSet)
        swap(&rest.timersCancelled, &self.timersCancelled)
        swap(&rest.snapshot, &self.snapshot)
        return rest
    }

    func encode(into frame: inout WireWriter) {
        self.emitted.encode(into: &frame)
        self.changes.encode(into: &frame)
        self.timersSet.encode(into: &frame)
        self.timersCancelled.encode(into: &frame)
        frame.u8(self.snapshot == nil ? 0 : 1)
        if let snapshot = self.snapshot { frame.counted(snapshot) }
    }
}
