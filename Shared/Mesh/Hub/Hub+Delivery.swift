extension Hub {
    /// When a delivery is tried again that was lost or damaged on its way.
    static let retryAfterLoss = Duration.seconds(1)
    /// How long something waits to be overtaken at the most.
    static let overtakingTime = Duration.milliseconds(50)

    /// Delivers what one partition of one service may have, as far as its credit goes.
    func pump(service: Int, partition: Int, now: Instant) throws(LogError) {
        guard let owner = self.services[service][partition].owner,
            self.services[service][partition].phase == .ready
        else { return }
        var progress = true
        while progress {
            progress = false
            for cursor in self.services[service][partition].cursors.indices
            where self.hasCredit(service, partition, cursor) {
                let delivered = try self.deliverNext(service, partition, cursor, owner, now)
                progress = progress || delivered
            }
        }
    }

    /// Whether the owner is ready for the next delivery of a cursor.
    ///
    /// One that failed and comes again may take credit that is not there: the owner may have given
    /// all of it to later events of the same subject, which wait for just that one.
    private func hasCredit(_ service: Int, _ partition: Int, _ cursor: Int) -> Bool {
        let credit = self.services[service][partition].credit
        if credit > 0 { return true }
        return credit > -self.layout.limits.window
            && !self.services[service][partition].cursors[cursor].due.isEmpty
    }

    /// Makes one attempt for one cursor; returns whether there was anything to attempt.
    private func deliverNext(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ owner: ConnectionID,
        _ now: Instant
    ) throws(LogError) -> Bool {
        let state = self.services[service][partition].cursors[cursor]
        if let offset = state.due.first {
            self.services[service][partition].cursors[cursor].due.removeFirst()
            guard !state.isAcknowledged(offset) else { return true }
            try self.attempt(service, partition, cursor, offset, owner, now)
            return true
        }
        var offset = state.next
        let end = self.topics[state.topic][partition].end
        while offset < end, state.isAcknowledged(offset) { offset += 1 }
        guard offset < end else {
            self.services[service][partition].cursors[cursor].next = offset
            return false
        }
        self.services[service][partition].cursors[cursor].next = offset + 1
        try self.attempt(service, partition, cursor, offset, owner, now)
        return true
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
        guard let place = try self.place(service, partition, cursor, offset) else {
            throw LogError(
                .corrupt,
                "event \(offset) of \(self.layout.topicName(topic))/\(partition) is not in the log"
            )
        }
        let isUntouched =
            self.rules.isEmpty && self.services[service][partition].parkedSubjects.isEmpty
        var fate = RuleChain.Verdict.deliver
        if !isUntouched { fate = try self.judge(service, partition, cursor, offset, place, now) }
        switch fate {
        case .hold, .wait, .lose, .swap: return
        case .deliver, .deliverTwice, .corrupt: break
        }
        let failure = self.services[service][partition].cursors[cursor].failures[offset]
        let attempt = (failure?.attempts ?? 0) + 1
        let epoch = self.services[service][partition].epoch
        guard let connection = self.connections[owner] else { return }
        let start = connection.out.bytes.count
        try self.log.withBytes(at: place.position, count: Int(place.count)) { envelope in
            for _ in 0..<(fate == .deliverTwice ? 2 : 1) {
                connection.out.frame(.deliver) { frame in
                    frame.varint(UInt64(partition))
                    frame.varint(epoch)
                    frame.varint(UInt64(topic))
                    frame.varint(offset)
                    frame.varint(UInt64(attempt))
                    frame.counted(envelope)
                }
            }
        }
        self.dirtyConnections.insert(owner)
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
        _ place: EventPlace,
        _ now: Instant
    ) throws(LogError) -> RuleChain.Verdict {
        let wasCleared =
            self.services[service][partition].cursors[cursor].cleared.remove(offset) != nil
        let passage = try self.passage(of: place, to: service)
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
        let draw = StableHash.combine(place.position, self.attemptCounter)
        let verdict = self.rules.judge([passage], draw, now)
        var parked = Cursor.Parked(subject: subject, isBehind: false)
        switch verdict {
        case .deliver, .deliverTwice: return verdict
        case .hold(let rule): parked.rule = rule
        case .wait(let until, let rule): (parked.until, parked.rule) = (until, rule)
        case .lose where self.isFlawed("lost-stays-lost"): return verdict
        case .lose(let rule), .corrupt(let rule):
            (parked.until, parked.rule, parked.isLost) = (now + Self.retryAfterLoss, rule, true)
        case .swap(let rule):
            (parked.until, parked.rule) = (now + Self.overtakingTime, rule)
            self.services[service][partition].overtaken.append((cursor, offset))
        }
        self.park(service, partition, cursor, offset, parked)
        return verdict
    }

    /// The link that an event takes to a service; nil where it cannot be read.
    private func passage(of place: EventPlace, to service: Int) throws(LogError) -> Passage? {
        let name = self.layout.services[service].name
        return try self.log.withBytes(at: place.position, count: Int(place.count)) { bytes in
            guard let view = try? EnvelopeView(bytes) else { return nil }
            return Passage(
                from: view.sourceText,
                to: name,
                party: name,
                hop: .delivery,
                type: view.typeText,
                subject: view.subjectText
            )
        }
    }

    private func park(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        _ parked: Cursor.Parked
    ) {
        self.services[service][partition].cursors[cursor].parked[offset] = parked
        if !parked.isBehind {
            self.services[service][partition].parkedSubjects[parked.subject, default: 0] += 1
        }
        // What is held back counts as delivered, so that a cut costs bounded memory.
        self.services[service][partition].credit -= 1
        guard let due = parked.until else { return }
        self.deadlines.add(
            .unpark(
                service: service,
                partition: partition,
                cursor: cursor,
                offset: offset,
                epoch: self.services[service][partition].epoch
            ),
            due: due
        )
    }

    /// A wait is over: what was only late is delivered without asking the rules again.
    func waitEnded(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        _ epoch: UInt64,
        _ now: Instant
    ) {
        guard self.services[service][partition].epoch == epoch,
            let parked = self.services[service][partition].cursors[cursor].parked[offset],
            let until = parked.until, until <= now
        else { return }
        self.unpark(service, partition, cursor, offset, cleared: !parked.isLost)
    }

    /// Something passed: what was to be overtaken follows.
    private func letOvertakenGo(_ service: Int, _ partition: Int) {
        let overtaken = self.services[service][partition].overtaken
        self.services[service][partition].overtaken = []
        for item in overtaken {
            self.unpark(service, partition, item.cursor, item.offset, cleared: true)
        }
    }

    private func unpark(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        cleared: Bool
    ) {
        guard let parked = self.services[service][partition].cursors[cursor].parked[offset]
        else { return }
        self.services[service][partition].cursors[cursor].parked[offset] = nil
        self.services[service][partition].credit += 1
        if cleared {
            self.services[service][partition].cursors[cursor].cleared.insert(offset)
        }
        self.services[service][partition].cursors[cursor].becameDue(offset)
        self.mayDeliver(service, partition)
        guard !parked.isBehind else { return }
        let subject = parked.subject
        let others = (self.services[service][partition].parkedSubjects[subject] ?? 1) - 1
        self.services[service][partition].parkedSubjects[subject] = others > 0 ? others : nil
        guard others == 0 else { return }
        for index in self.services[service][partition].cursors.indices {
            let behind = self.services[service][partition].cursors[index].parked
                .filter { $0.value.isBehind && $0.value.subject == subject }
                .keys.sorted()
            for offset in behind {
                self.unpark(service, partition, index, offset, cleared: false)
            }
        }
    }

    /// Lets everything be attempted again that rules held back which are healed.
    func unparkHealed() {
        if self.isFlawed("cut-never-heals") { return }
        for service in self.services.indices {
            for partition in self.services[service].indices {
                for cursor in self.services[service][partition].cursors.indices {
                    let parked = self.services[service][partition].cursors[cursor].parked
                    for offset in parked.keys.sorted() {
                        guard let rule = parked[offset]?.rule, !self.rules.isArmed(rule)
                        else { continue }
                        self.unpark(service, partition, cursor, offset, cleared: false)
                    }
                }
            }
        }
    }

    // MARK: Finding events

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
        var state = self.services[service][partition].cursors[cursor]
        guard let indexed = self.topics[topic][partition].scanStart(for: offset) else { return nil }
        // Where the last scan ended may be long ago, and what lies there removed since.
        let known = state.scan.flatMap { $0.offset <= offset ? $0.position : nil }
        let start = max(indexed, known ?? 0)
        var collector = PlaceCollector(topic: topic, partition: partition, from: offset)
        var position = start
        while collector.found.isEmpty, position < self.log.durable {
            position = try self.log.scan(from: position, bytesMax: 256 * 1024, into: &collector)
        }
        state.backlog = collector.found
        state.scan = (offset: (collector.found.last?.offset ?? offset) + 1, position: position)
        self.services[service][partition].cursors[cursor] = state
        return self.fromBacklog(service, partition, cursor, offset)
    }

    private func fromBacklog(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64
    ) -> EventPlace? {
        let backlog = self.services[service][partition].cursors[cursor].backlog
        guard let first = backlog.first, offset >= first.offset,
            offset - first.offset < UInt64(backlog.count)
        else { return nil }
        return backlog[Int(offset - first.offset)].place
    }
}

/// Collects where the events of one partition of one topic lie, from an offset on.
private struct PlaceCollector: PlaceVisitor {
    let topic: Int
    let partition: Int
    let from: UInt64
    var found: [(offset: UInt64, place: EventPlace)] = []
    var position: UInt64 = 0

    init(topic: Int, partition: Int, from: UInt64) {
        self.topic = topic
        self.partition = partition
        self.from = from
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
        guard topic == self.topic, partition == self.partition, offset >= self.from else { return }
        let body = self.position + UInt64(RecordFormat.headerBytes)
        let place = EventPlace(position: body + UInt64(at), count: UInt32(envelope.count))
        self.found.append((offset, place))
    }
}
