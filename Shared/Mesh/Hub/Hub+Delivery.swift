extension Hub {
    /// When a delivery is tried again that was lost or damaged on its way.
    static let retryAfterLoss = Duration.seconds(1)
    /// How long something waits to be overtaken at the most.
    static let overtakingTime = Duration.milliseconds(50)

    /// How many events of a topic follow each other before the next topic has its turn.
    private static let runMax = 256

    /// Delivers what one partition of one service may have, as far as its credit goes.
    func pump(service: Int, partition: Int, now: Instant) throws(LogError) {
        guard let owner = self.services[service][partition].owner,
            self.services[service][partition].phase == .ready,
            let connection = self.connections[owner]
        else { return }
        var progress = true
        while progress {
            progress = false
            for cursor in self.services[service][partition].cursors.indices
            where self.hasNext(service, partition, cursor) {
                let delivered = try self.deliverNext(
                    service,
                    partition,
                    cursor,
                    owner,
                    connection,
                    now
                )
                progress = progress || delivered
            }
        }
    }

    /// Whether there may be something to deliver for a cursor, and the owner is ready for it.
    private func hasNext(_ service: Int, _ partition: Int, _ cursor: Int) -> Bool {
        let topic = self.services[service][partition].cursors[cursor].topic
        let isOpen =
            self.services[service][partition].cursors[cursor].next
            < self.topics[topic][partition].end
            || !self.services[service][partition].cursors[cursor].due.isEmpty
            || self.topics[topic][partition].volatile != nil
        // One that failed and comes again may take credit that is not there: the owner may have
        // given all of it to later events of the same subject, which wait for just that one.
        let credit = self.services[service][partition].credit
        if !isOpen || credit > 0 { return isOpen }
        return credit > -self.layout.limits.window
            && !self.services[service][partition].cursors[cursor].due.isEmpty
    }

    /// Whether nothing asks for a look at each single delivery.
    private func mayRun(_ service: Int, _ partition: Int, _ cursor: Int) -> Bool {
        self.isUntouched(service, partition)
            && self.services[service][partition].overtaken.isEmpty
            && self.services[service][partition].cursors[cursor].due.isEmpty
    }

    /// Makes one attempt for one cursor, or many where nothing is in the way; returns whether
    /// there was anything to attempt.
    private func deliverNext(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ owner: ConnectionID,
        _ connection: Connection,
        _ now: Instant
    ) throws(LogError) -> Bool {
        let topic = self.services[service][partition].cursors[cursor].topic
        if let start = self.topics[topic][partition].volatile?.start {
            self.services[service][partition].cursors[cursor].skip(to: start)
        }
        let end = self.topics[topic][partition].end
        if self.mayRun(service, partition, cursor) {
            let run = self.services[service][partition].cursors[cursor].takeRun(
                to: end,
                atMost: min(Self.runMax, self.services[service][partition].credit)
            )
            if !run.isEmpty {
                try self.deliver(run, service, partition, cursor, connection)
                self.hasOutput(owner)
                self.services[service][partition].credit -= run.count
                return true
            }
        }
        if let offset = self.services[service][partition].cursors[cursor].due.first {
            self.services[service][partition].cursors[cursor].due.removeFirst()
            guard !self.services[service][partition].cursors[cursor].isAcknowledged(offset)
            else { return true }
            try self.attempt(service, partition, cursor, offset, owner, now)
            return true
        }
        var offset = self.services[service][partition].cursors[cursor].next
        while offset < end,
            self.services[service][partition].cursors[cursor].isAcknowledged(offset)
        {
            offset += 1
        }
        guard offset < end else {
            self.services[service][partition].cursors[cursor].next = offset
            return false
        }
        self.services[service][partition].cursors[cursor].next = offset + 1
        try self.attempt(service, partition, cursor, offset, owner, now)
        return true
    }

    /// Writes first attempts of events that follow each other, many in a frame.
    private func deliver(
        _ run: Range<UInt64>,
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ connection: Connection
    ) throws(LogError) {
        let topic = self.services[service][partition].cursors[cursor].topic
        let epoch = self.services[service][partition].epoch
        var offset = run.lowerBound
        while offset < run.upperBound {
            let start = connection.out.beginFrame(Frame.FromHub.deliver.rawValue)
            connection.out.delivery(partition, epoch, topic, offset, attempt: 1)
            if let volatile = self.topics[topic][partition].volatile {
                offset = volatile.copy(
                    offset..<run.upperBound,
                    upTo: Frame.batchBytes,
                    into: &connection.out
                )
            } else {
                repeat {
                    try self.copy(service, partition, cursor, offset, into: connection)
                    offset += 1
                } while offset < run.upperBound
                    && connection.out.bytes.count - start < Frame.batchBytes
            }
            connection.out.endFrame(start)
        }
    }

    private func copy(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        into connection: Connection
    ) throws(LogError) {
        guard let place = try self.place(service, partition, cursor, offset) else {
            throw self.missing(service, partition, cursor, offset)
        }
        try self.log.withBytes(at: place.position, count: Int(place.count), readingAhead: true) {
            connection.out.counted($0)
        }
    }

    private func missing(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64
    ) -> LogError {
        let topic = self.services[service][partition].cursors[cursor].topic
        return LogError(
            .corrupt,
            "event \(offset) of \(self.layout.topicName(topic))/\(partition) is not in the log"
        )
    }

    /// Asks the armed rules about one delivery, and makes it, puts it off or loses it.
    private func attempt(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        _ owner: ConnectionID,
        _ now: Instant
    ) throws(LogError) {
        let topic = self.services[service][partition].cursors[cursor].topic
        let failure = self.services[service][partition].cursors[cursor].failures[offset]
        if let due = failure?.due, due > now {
            return try self.putOff(service, partition, cursor, offset, until: due)
        }
        var fate = RuleChain.Verdict.deliver
        if !self.isUntouched(service, partition) {
            fate = try self.judge(service, partition, cursor, offset, now)
        }
        switch fate {
        case .hold, .wait, .lose, .swap: return
        case .deliver, .deliverTwice, .corrupt: break
        }
        let epoch = self.services[service][partition].epoch
        let attempt = (failure?.attempts ?? 0) + 1
        guard let connection = self.connections[owner] else { return }
        let start = connection.out.bytes.count
        try self.withEvent(service, partition, cursor, offset) { envelope in
            for _ in 0..<(fate == .deliverTwice ? 2 : 1) {
                connection.out.frame(.deliver) { frame in
                    frame.delivery(partition, epoch, topic, offset, attempt: attempt)
                    frame.counted(envelope)
                }
            }
        }
        self.hasOutput(owner)
        if case .corrupt = fate {
            // It is on its way, and will be asked for again: whoever gets it notices.
            return self.damage(&connection.out.bytes, from: start, as: .sealed)
        }
        self.services[service][partition].credit -= 1
        if !self.services[service][partition].overtaken.isEmpty {
            self.letOvertakenGo(service, partition)
        }
    }

    private func judge(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        _ now: Instant
    ) throws(LogError) -> RuleChain.Verdict {
        let wasCleared =
            self.services[service][partition].cursors[cursor].cleared.remove(offset) != nil
        let passage = try self.passage(service, partition, cursor, offset)
        guard let passage else { return .deliver }
        let subject = passage.subject
        if self.services[service][partition].parkedSubjects[subject] != nil, !wasCleared,
            !self.isFlawed("delay-overtaken")
        {
            let parked = Cursor.Parked(subject: subject, isBehind: true)
            self.park(service, partition, cursor, offset, parked)
            return .hold(rule: 0)
        }
        if wasCleared { return .deliver }
        self.attemptCounter += 1
        let topic = self.services[service][partition].cursors[cursor].topic
        let place = StableHash.combine(UInt64(topic << 16 | partition), offset)
        let draw = StableHash.combine(place, self.attemptCounter)
        let verdict = self.rules.judge([passage], draw, now)
        var parked = Cursor.Parked(subject: subject, isBehind: false)
        switch verdict {
        case .deliver, .deliverTwice: return verdict
        case .hold(let rule): parked.rule = rule
        case .wait(let until, let rule): (parked.until, parked.rule) = (until, rule)
        case .lose where self.isFlawed("lost-stays-lost"): return verdict
        case .lose(let rule), .corrupt(let rule):
            (parked.until, parked.rule) = (now + Self.retryAfterLoss, rule)
            parked.isJudgedAnew = true
        case .swap(let rule):
            (parked.until, parked.rule) = (now + Self.overtakingTime, rule)
            self.services[service][partition].overtaken.append((cursor, offset))
        }
        self.park(service, partition, cursor, offset, parked)
        return verdict
    }

    /// The link that an event takes to a service; nil where it cannot be read.
    private func passage(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64
    ) throws(LogError) -> Passage? {
        let name = self.layout.services[service].name
        return try self.withEvent(service, partition, cursor, offset) { bytes in
            guard let view = try? EnvelopeView(bytes) else { return nil }
            return Passage(
                from: view.sourceText,
                to: name,
                party: name,
                hop: .delivery,
                type: self.rules.readsTypes ? view.typeText : "",
                subject: view.subjectText
            )
        }
    }

    // MARK: Finding events

    /// Passes an event that a cursor wants to `body`, from memory or from the log.
    ///
    /// - Throws: ``LogError`` where it is not there.
    func withEvent<R>(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        _ body: (UnsafeRawBufferPointer) -> R
    ) throws(LogError) -> R {
        let topic = self.services[service][partition].cursors[cursor].topic
        if let volatile = self.topics[topic][partition].volatile, offset >= volatile.start,
            offset < volatile.end
        {
            return volatile.withEvent(at: offset, body)
        }
        guard let place = try self.place(service, partition, cursor, offset) else {
            throw self.missing(service, partition, cursor, offset)
        }
        return try self.log.withBytes(at: place.position, count: Int(place.count), body)
    }

    /// Passes an event to `body` where that is among the last of its topic; nil where it is not.
    func withRecentEvent<R>(
        _ topic: Int,
        _ partition: Int,
        _ offset: UInt64,
        _ body: (UnsafeRawBufferPointer) -> R
    ) throws(LogError) -> R? {
        if let volatile = self.topics[topic][partition].volatile {
            guard offset >= volatile.start, offset < volatile.end else { return nil }
            return volatile.withEvent(at: offset, body)
        }
        guard let place = self.topics[topic][partition].place(of: offset) else { return nil }
        return try self.log.withBytes(at: place.position, count: Int(place.count), body)
    }

    /// Returns where an event lies that a cursor wants, scanning the log for an old one.
    func place(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64
    ) throws(LogError) -> EventPlace? {
        let topic = self.services[service][partition].cursors[cursor].topic
        if let place = self.topics[topic][partition].place(of: offset) { return place }
        if let place = self.fromBacklog(service, partition, cursor, offset) { return place }
        guard let indexed = self.topics[topic][partition].scanStart(for: offset) else { return nil }
        // Where the last scan ended may be long ago, and what lies there removed since.
        let scan = self.services[service][partition].cursors[cursor].scan
        let known = scan.flatMap { $0.offset <= offset ? $0.position : nil }
        var position = max(indexed, known ?? 0)
        var from = self.services[service].map { $0.cursors[cursor].next }
        from[partition] = offset
        var collector = PlaceCollector(topic: topic, from: from)
        while collector.found[partition].isEmpty, position < self.log.durable {
            position = try self.log.scan(from: position, bytesMax: 256 * 1024, into: &collector)
        }
        self.services[service][partition].cursors[cursor].backlog = []
        for (partition, found) in collector.found.enumerated() {
            self.services[service][partition].cursors[cursor].found(found, upTo: position)
        }
        return self.fromBacklog(service, partition, cursor, offset)
    }

    private func fromBacklog(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64
    ) -> EventPlace? {
        guard let first = self.services[service][partition].cursors[cursor].backlog.first,
            offset >= first.offset
        else { return nil }
        let index = Int(offset - first.offset)
        guard index < self.services[service][partition].cursors[cursor].backlog.count else {
            return nil
        }
        return self.services[service][partition].cursors[cursor].backlog[index].place
    }
}

/// Collects where the events of one topic lie, in each partition from an offset on: whoever reads
/// one partition of a topic from the log is about to read the others, too.
private struct PlaceCollector: PlaceVisitor {
    let topic: Int
    let from: [UInt64]
    var found: [[(offset: UInt64, place: EventPlace)]]
    var position: UInt64 = 0

    init(topic: Int, from: [UInt64]) {
        self.topic = topic
        self.from = from
        self.found = from.map { _ in [] }
    }

    mutating func record(at position: UInt64) { self.position = position }

    mutating func recorded(at time: Instant) {}

    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) {
        guard topic == self.topic, partition < self.from.count, offset >= self.from[partition]
        else { return }
        let body = self.position + UInt64(RecordFormat.headerBytes)
        let place = EventPlace(position: body + UInt64(at), count: UInt32(envelope.count))
        self.found[partition].append((offset, place))
    }
}

extension WireWriter {
    /// Writes what precedes the events of a delivery.
    fileprivate mutating func delivery(
        _ partition: Int,
        _ epoch: UInt64,
        _ topic: Int,
        _ offset: UInt64,
        attempt: Int
    ) {
        self.varint(UInt64(partition))
        self.varint(epoch)
        self.varint(UInt64(topic))
        self.varint(offset)
        self.varint(UInt64(attempt))
    }
}
