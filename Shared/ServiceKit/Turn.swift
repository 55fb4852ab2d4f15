public import Mesh

/// The handling of one event: what was read, recorded, emitted and scheduled; commits as a whole.
///
/// Use it on the service's actor only, and only until the handler returns. First await what
/// outside parties have to say, then call ``decide(_:)`` once: that one synchronous step is the
/// only place that reads the service's state and the only place that records, emits and
/// schedules. A turn that returns without deciding acknowledges its event and does nothing else. A
/// handler that throws asks for redelivery.
public final class Turn<S: Service>: @unchecked Sendable {
    // Confined to the executor of the service's host, like the service itself.

    /// The event being handled.
    public var event: EventEnvelope { self.delivery.event }
    /// 1 for the first attempt to handle it, then one more after each failed one.
    public var attempt: Int { self.delivery.attempt }
    let delivery: Delivery
    let service: S
    /// The partition that it belongs to, and under which epoch of it.
    let partition: Int
    let epoch: UInt64
    /// What the ids of emitted events follow from.
    private let origin: EventID
    private let desk: TurnDesk<S>
    private(set) var phase = Phase.open

    enum Phase { case open, deciding, decided }

    /// Creates a turn that writes its decision at `desk`.
    ///
    /// The ids of emitted events follow from `origin`, that of the event unless another is given.
    init(
        _ delivery: Delivery,
        of partition: Int = 0,
        epoch: UInt64 = 0,
        service: S,
        origin: EventID? = nil,
        at desk: TurnDesk<S>
    ) {
        self.origin = origin ?? delivery.id
        self.delivery = delivery
        self.partition = partition
        self.epoch = epoch
        self.service = service
        self.desk = desk
    }

    /// The host's time.
    public var now: Instant { self.service.host.now() }

    /// Returns the face of an outside party.
    public func outside<P: OutsideParty>(_ party: P.Type) -> P {
        P(caller: OutsideCaller(host: self.service.host, party: P.name, attempt: self.attempt))
    }

    /// Runs the turn's one decision, applies its changes, and lets the turn commit.
    ///
    /// - Throws: what `body` throws; then nothing of the decision happened.
    public func decide(_ body: () throws -> Void) rethrows {
        precondition(self.phase == .open, "a turn decides once; \(S.name) decided again")
        self.phase = .deciding
        self.desk.clear()
        do {
            try body()
        } catch {
            self.desk.clear()
            self.phase = .open
            throw error
        }
        self.phase = .decided
        self.service.confined(self.desk) { service, desk in
            for change in desk.changes { service.apply(change) }
        }
        self.desk.onDecision(self)
    }

    /// Ends a turn whose handler returned without deciding: it only acknowledges its event.
    func endUndecided() {
        guard self.phase == .open else { return }
        self.phase = .decided
        self.desk.clear()
        self.desk.onDecision(self)
    }

    /// Records a change; it is applied when the decision is over, and again at each recovery.
    public func record(_ change: consuming S.Change) {
        self.require("record")
        self.desk.decision.record(&change)
        self.desk.changes.append(change)
    }

    /// Emits an event; it leaves the process when the turn has committed.
    public func emit<E: Event>(_ event: E) {
        self.require("emit")
        let envelope = self.envelope(E.type, event.subject)
        self.desk.decision.emit(envelope, carrying: event, to: self.desk.topic(of: E.self))
    }

    /// Sets a timer: after `delay`, `event` comes back to this partition of this service.
    ///
    /// Setting a timer of the same name again replaces it.
    public func schedule<E: Event>(_ event: E, after delay: Duration, name: String) {
        self.require("schedule")
        let envelope = self.envelope(E.type, event.subject)
        let due = self.now + delay
        self.desk.decision.set(timer: name, due: due, envelope, carrying: event)
    }

    /// Cancels a timer; does nothing where there is none of that name.
    public func cancel(timer name: String) {
        self.require("cancel")
        self.desk.decision.cancel(timer: name)
    }

    /// The attributes of the next event of the decision.
    private func envelope(_ type: String, _ subject: String) -> EventEnvelope {
        EventEnvelope(
            id: self.origin.derived(by: S.name, index: self.desk.decision.eventCount),
            source: S.name,
            type: type,
            subject: subject,
            time: self.now,
            trace: self.delivery.trace,
            causation: self.delivery.id,
            correlation: self.delivery.correlation,
            data: []
        )
    }

    private func require(_ step: String) {
        precondition(self.phase == .deciding, "\(S.name) calls \(step) outside decide")
    }
}

extension Turn where S: Projection {
    /// Runs the step that folds the event into the projection's state.
    ///
    /// The fold becomes durable with the projection's next snapshot, not with the turn.
    public func fold(_ body: () -> Void) { body() }
}
