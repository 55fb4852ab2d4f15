extension Hub {
    // MARK: Publishers

    /// Takes an event of an outside party; a repeated one is acknowledged again, not stored again.
    func publish(
        _ id: ConnectionID,
        _ connection: Connection,
        _ reader: inout WireReader,
        _ now: Instant
    ) throws(WireError) {
        let sequence = try reader.varint()
        let before = try reader.varint()
        let topic = try reader.count()
        let envelope = try reader.view()
        guard let name = connection.hello?.name else { return }
        let progress = self.publishers[name] ?? PublisherProgress()
        guard !progress.knows(sequence) else {
            if progress.hasRefused(sequence) {
                return self.refusePublish(id, sequence, Self.fullRefusal)
            }
            return self.published(id, upTo: progress.storedUpTo)
        }
        let isNext = progress.knows(before)
        guard isNext || before == connection.refusedUpTo else {
            return self.missed(id, connection, after: progress.storedUpTo)
        }
        guard self.hasRoom(toPublish: envelope.count) else {
            connection.refused(sequence)
            if self.isFlawed("full-disk-confirmed") { return self.published(id, upTo: sequence) }
            return self.refusePublish(id, sequence, Self.fullRefusal)
        }
        let view: EnvelopeView
        do {
            view = try self.check(envelope, topic, connection)
            try self.checkBacklog(topic, view)
        } catch {
            connection.refused(sequence)
            // A line in each second is enough for what every event is refused for.
            if error.code != .full || now >= connection.nextFullAudit {
                connection.nextFullAudit = now + .seconds(1)
                self.audit(error, of: connection, now)
            }
            return self.refusePublish(id, sequence, error)
        }
        // The publisher must know of a refusal before a later event is stored: that the hub has
        // stored everything up to an event means that nothing before it was refused unheard.
        guard isNext else { return self.missed(id, connection, after: progress.storedUpTo) }
        let partition = view.partition(among: self.layout.partitionCount(topic))
        let offset = self.topics[topic][partition].end
        let count = UInt32(envelope.count)
        var place: UInt64 = 0
        let record = self.log.append { writer, body in
            let start = writer.bytes.count
            writer.record(.published, at: now)
            writer.text(name)
            writer.varint(sequence)
            writer.varint(1)
            writer.place(topic: topic, partition: partition, offset: offset)
            writer.counted(envelope)
            place = body + UInt64(writer.bytes.count - start - envelope.count)
        }
        self.topics[topic][partition].append(
            EventPlace(position: place, count: count),
            record: record
        )
        self.publishers[name, default: PublisherProgress()].stored(sequence)
        let syncs = self.layout.topics[topic].sync == .always
        self.needsSync = self.needsSync || syncs && !self.isFlawed("publish-unsynced")
        self.grew(topic: topic, partition: partition)
        self.published(id, upTo: sequence)
    }

    private func published(_ id: ConnectionID, upTo sequence: UInt64) {
        self.answer(id) { $0.frame(.published) { $0.varint(sequence) } }
    }

    /// An event arrived without those before it: they were lost, or refused unheard.
    private func missed(_ id: ConnectionID, _ connection: Connection, after last: UInt64) {
        guard connection.gapAfter != last else { return }
        connection.gapAfter = last
        self.answer(id) { $0.frame(.publishGap) { $0.varint(last) } }
    }

    private func refusePublish(_ id: ConnectionID, _ sequence: UInt64, _ refusal: Refusal) {
        self.answer(id) {
            $0.frame(.publishRefused) {
                $0.varint(sequence)
                $0.u8(refusal.code.rawValue)
                $0.text(refusal.message)
            }
        }
    }

    /// Whether the topology lets this client put this event into that topic.
    private func check(
        _ envelope: UnsafeRawBufferPointer,
        _ topic: Int,
        _ connection: Connection
    ) throws(Refusal) -> EnvelopeView {
        guard envelope.count <= self.layout.limits.eventBytesMax else {
            throw Refusal(
                .tooLarge,
                "an event of \(envelope.count) bytes; the limit is "
                    + "\(self.layout.limits.eventBytesMax) (limits.eventBytesMax)"
            )
        }
        let view: EnvelopeView
        do {
            view = try EnvelopeView(envelope)
        } catch {
            throw Refusal(.malformed, "\(connection.name): \(error.message)")
        }
        guard let name = connection.hello?.name, view.sourceText == name else {
            throw Refusal(
                .notAllowed,
                "\(connection.name) emits an event whose source is '\(view.sourceText)'"
            )
        }
        let emits =
            connection.service.map { self.layout.services[$0].emits }
            ?? self.layout.publishers.first { $0.name == name }?.emits ?? []
        guard topic < self.layout.topics.count, emits.contains(self.layout.topics[topic].name)
        else {
            let what = topic < self.layout.topicCount ? self.layout.topicName(topic) : "\(topic)"
            throw Refusal(
                .undeclared,
                "\(name) emits to topic '\(what)', which its 'emits' in the topology file does "
                    + "not list"
            )
        }
        return view
    }

    /// Whether no consumer of the topic is too far behind to take more.
    private func checkBacklog(_ topic: Int, _ view: EnvelopeView) throws(Refusal) {
        guard let limit = self.layout.limits.backlogMax else { return }
        let partitions = self.layout.partitionCount(topic)
        let partition = view.partition(among: partitions)
        for (service, cursor) in self.consumers[topic] {
            // Only where this partition has its share of the limit the others are looked at too.
            let here = self.backlog(service, partition, cursor, topic)
            guard here * partitions >= limit else { continue }
            let all = (0..<partitions).reduce(0) { $0 + self.backlog(service, $1, cursor, topic) }
            guard all >= limit else { continue }
            throw Refusal(
                .full,
                "\(all) events of \(self.layout.topicName(topic)) wait for "
                    + "\(self.layout.services[service].name); the limit is \(limit) "
                    + "(limits.backlogMax): try again later"
            )
        }
    }

    private func backlog(_ service: Int, _ partition: Int, _ cursor: Int, _ topic: Int) -> Int {
        let end = self.topics[topic][partition].end
        return Int(end - min(end, self.services[service][partition].cursors[cursor].floor))
    }

    // MARK: Turns

    /// Takes a turn, whole or not at all.
    func commit(_ id: ConnectionID, _ service: Int, _ commit: CommitView, _ now: Instant) {
        guard let connection = self.connections[id] else { return }
        if self.isRepeated(commit, id, service) {
            return self.committed(id, commit.partition, commit.epoch, commit.sequence)
        }
        let partitions: [Int]
        do {
            try self.fence(commit, id, service)
            partitions = try self.check(commit, service, connection)
        } catch {
            self.audit(error, of: connection, now)
            return self.refuseCommit(id, service, commit, error, now)
        }
        self.write(commit, service, partitions, now)
        self.services[service][commit.partition].sequence = commit.sequence
        self.services[service][commit.partition].credit += commit.credit
        self.mayDeliver(service, commit.partition)
        self.committed(id, commit.partition, commit.epoch, commit.sequence)
    }

    /// Whether the commit came before and was taken.
    private func isRepeated(_ commit: CommitView, _ id: ConnectionID, _ service: Int) -> Bool {
        guard commit.partition < self.services[service].count else { return false }
        let state = self.services[service][commit.partition]
        return state.owner == id && state.epoch == commit.epoch
            && (1...max(1, state.sequence)).contains(commit.sequence) && state.sequence > 0
    }

    private func committed(
        _ id: ConnectionID,
        _ partition: Int,
        _ epoch: UInt64,
        _ sequence: UInt64
    ) {
        self.answer(id) {
            $0.frame(.committed) {
                $0.varint(UInt64(partition))
                $0.varint(epoch)
                $0.varint(sequence)
            }
        }
    }

    /// A client asks what became of its last commit.
    func unanswered(
        _ id: ConnectionID,
        _ service: Int,
        _ reader: inout WireReader,
        _ now: Instant
    ) throws(WireError) {
        var commit = CommitView()
        commit.partition = try self.partition(&reader, service)
        commit.epoch = try reader.varint()
        commit.sequence = try reader.varint()
        let state = self.services[service][commit.partition]
        guard state.owner == id, state.epoch == commit.epoch else { return }
        guard commit.sequence > state.sequence else {
            return self.committed(id, commit.partition, commit.epoch, commit.sequence)
        }
        let refusal = Refusal(
            .sequenceGap,
            "commit \(commit.sequence) was lost on its way; the last one that came is "
                + "\(state.sequence)"
        )
        self.refuseCommit(id, service, commit, refusal, now)
    }

    /// Says no to a commit; its owner drops what it had in memory and is given its state anew.
    func refuseCommit(
        _ id: ConnectionID,
        _ service: Int,
        _ commit: CommitView,
        _ refusal: Refusal,
        _ now: Instant
    ) {
        self.answer(id) {
            $0.frame(.commitRefused) {
                $0.varint(UInt64(commit.partition))
                $0.varint(commit.epoch)
                $0.varint(commit.sequence)
                $0.u8(refusal.code.rawValue)
                $0.text(refusal.message)
            }
        }
        guard commit.partition < self.services[service].count else { return }
        let state = self.services[service][commit.partition]
        guard state.owner == id, state.epoch == commit.epoch else { return }
        self.services[service][commit.partition].owner = nil
        self.services[service][commit.partition].phase = .unowned
        self.rebalance(service, now)
    }

    private func fence(_ commit: CommitView, _ id: ConnectionID, _ service: Int) throws(Refusal) {
        guard commit.partition < self.services[service].count else {
            throw Refusal(.malformed, "there is no partition \(commit.partition)")
        }
        let state = self.services[service][commit.partition]
        if self.isFlawed("stale-epoch-accepted") { return }
        guard state.owner == id, state.epoch == commit.epoch else {
            throw Refusal(
                .staleEpoch,
                "partition \(commit.partition) of \(self.layout.services[service].name) is in "
                    + "epoch \(state.epoch), the commit is of epoch \(commit.epoch)"
            )
        }
        guard commit.sequence == state.sequence + 1 else {
            throw Refusal(
                .sequenceGap,
                "commit \(commit.sequence) follows commit \(state.sequence)"
            )
        }
    }

    /// Checks every part of a commit; returns the partition of each emitted event.
    private func check(
        _ commit: CommitView,
        _ service: Int,
        _ connection: Connection
    ) throws(Refusal) -> [Int] {
        let state = self.services[service][commit.partition]
        for place in commit.acknowledged {
            guard let cursor = state.cursorIndex(place.topic),
                place.offset < self.topics[place.topic][commit.partition].end
            else {
                throw Refusal(
                    .malformed,
                    "offset \(place.offset) of topic \(place.topic) cannot be acknowledged"
                )
            }
            if state.cursors[cursor].isAcknowledged(place.offset),
                !self.isFlawed("stale-epoch-accepted"), !self.isFlawed("repeats-handled")
            {
                throw Refusal(
                    .alreadyAcknowledged,
                    "offset \(place.offset) of \(self.layout.topicName(place.topic))"
                )
            }
        }
        var partitions: [Int] = []
        for emission in commit.emitted {
            let view = try self.check(emission.envelope, emission.topic, connection)
            guard self.layout.topics[emission.topic].sync == .always else {
                throw Refusal(
                    .undeclared,
                    "topic \(self.layout.topicName(emission.topic)) is never synced and cannot "
                        + "take part in a turn"
                )
            }
            partitions.append(view.partition(among: self.layout.partitionCount(emission.topic)))
        }
        for timer in commit.timersSet {
            do {
                _ = try EnvelopeView(timer.envelope)
            } catch {
                throw Refusal(.malformed, "timer \(timer.name): \(error.message)")
            }
        }
        return partitions
    }

    func write(
        _ commit: CommitView,
        _ service: Int,
        _ partitions: [Int],
        _ now: Instant
    ) {
        var places: [EventPlace] = []
        let firstChange = self.services[service][commit.partition].journalEnd
        var ends: [Int: UInt64] = [:]
        let record = self.log.append { writer, body in
            let start = writer.bytes.count
            writer.record(.turn, at: now)
            writer.varint(UInt64(service))
            writer.varint(UInt64(commit.partition))
            writer.varint(commit.epoch)
            writer.varint(commit.sequence)
            writer.varint(UInt64(commit.acknowledged.count))
            for place in commit.acknowledged {
                writer.varint(UInt64(place.topic))
                writer.varint(place.offset)
            }
            writer.varint(UInt64(commit.emitted.count))
            for (emission, partition) in zip(commit.emitted, partitions) {
                let key = emission.topic << 16 | partition
                let offset = ends[key] ?? self.topics[emission.topic][partition].end
                ends[key] = offset + 1
                writer.place(topic: emission.topic, partition: partition, offset: offset)
                writer.counted(emission.envelope)
                let end = body + UInt64(writer.bytes.count - start)
                let count = emission.envelope.count
                places.append(EventPlace(position: end - UInt64(count), count: UInt32(count)))
            }
            Self.writeRest(of: commit, firstChange, &writer)
        }
        self.needsSync = true
        for place in commit.acknowledged {
            guard let cursor = self.services[service][commit.partition].cursorIndex(place.topic)
            else { continue }
            self.services[service][commit.partition].cursors[cursor].acknowledge(place.offset)
        }
        for (index, emission) in commit.emitted.enumerated() {
            self.topics[emission.topic][partitions[index]].append(places[index], record: record)
            self.grew(topic: emission.topic, partition: partitions[index])
        }
        self.keep(commit, service, record)
    }

    private static func writeRest(
        of commit: CommitView,
        _ firstChange: UInt64,
        _ writer: inout WireWriter
    ) {
        writer.varint(firstChange)
        writer.varint(UInt64(commit.changes.count))
        for change in commit.changes { writer.counted(change) }
        writer.varint(UInt64(commit.timersSet.count))
        for timer in commit.timersSet {
            writer.text(timer.name)
            writer.i64(timer.due.nanoseconds)
            writer.counted(timer.envelope)
        }
        writer.varint(UInt64(commit.timersCancelled.count))
        for name in commit.timersCancelled { writer.text(name) }
        writer.u8(commit.snapshot == nil ? 0 : 1)
        if let snapshot = commit.snapshot { writer.counted(snapshot) }
    }

    /// Keeps track of a turn's changes, snapshot and timers.
    private func keep(_ commit: CommitView, _ service: Int, _ record: UInt64) {
        let partition = commit.partition
        self.services[service][partition].journalEnd += UInt64(commit.changes.count)
        if commit.snapshot != nil {
            self.services[service][partition].snapshotRecord = record
            self.services[service][partition].journalRecords = []
        } else if !commit.changes.isEmpty {
            self.services[service][partition].journalRecords.append(record)
        }
        for timer in commit.timersSet {
            self.services[service][partition].timerGeneration += 1
            let generation = self.services[service][partition].timerGeneration
            self.services[service][partition].timers[timer.name] = PendingTimer(
                due: timer.due,
                generation: generation,
                envelope: [UInt8](timer.envelope)
            )
            self.deadlines.add(
                .timer(
                    service: service,
                    partition: partition,
                    name: timer.name,
                    generation: generation
                ),
                due: self.isFlawed("timers-early") ? timer.due + .milliseconds(-500) : timer.due
            )
        }
        for name in commit.timersCancelled
        where self.services[service][partition].timers.removeValue(forKey: name) != nil {
            self.cancelledTimerCount += 1
        }
        self.forgetCancelledTimers()
    }

    /// Drops the deadlines of cancelled timers once they are most of all, so that timers which are
    /// set and cancelled at a high rate cost memory in proportion to those that are pending.
    private func forgetCancelledTimers() {
        guard self.cancelledTimerCount > 1024,
            self.cancelledTimerCount * 2 > self.deadlines.count
        else { return }
        self.cancelledTimerCount = 0
        self.deadlines.keep { deadline in
            guard case .timer(let service, let partition, let name, let generation) = deadline
            else { return true }
            return self.services[service][partition].timers[name]?.generation == generation
        }
    }

    // MARK: Timers

    /// A timer came due: its event enters the service's inbox, and the timer is gone.
    func timerCameDue(
        _ service: Int,
        _ partition: Int,
        _ name: String,
        _ generation: UInt64,
        _ now: Instant
    ) {
        guard let timer = self.services[service][partition].timers[name],
            timer.generation == generation
        else { return }
        guard self.hasRoomForTurns else {
            let again = Deadline.timer(
                service: service,
                partition: partition,
                name: name,
                generation: generation
            )
            return self.deadlines.add(again, due: now + Self.roomInterval)
        }
        self.services[service][partition].timers[name] = nil
        self.appendToInbox(service, partition, timer.envelope) {
            $0.record(.timerFired, at: now)
            $0.varint(UInt64(service))
            $0.varint(UInt64(partition))
            $0.text(name)
        }
    }

    /// Appends a record that puts one event into a service's inbox; `head` writes what precedes it.
    func appendToInbox(
        _ service: Int,
        _ partition: Int,
        _ envelope: [UInt8],
        _ head: (inout WireWriter) -> Void
    ) {
        let topic = self.layout.inbox(of: service)
        let offset = self.topics[topic][partition].end
        var place: UInt64 = 0
        let record = self.log.append { writer, body in
            let start = writer.bytes.count
            head(&writer)
            writer.place(topic: topic, partition: partition, offset: offset)
            writer.counted(envelope)
            place = body + UInt64(writer.bytes.count - start - envelope.count)
        }
        self.topics[topic][partition].append(
            EventPlace(position: place, count: UInt32(envelope.count)),
            record: record
        )
        self.needsSync = true
        self.grew(topic: topic, partition: partition)
    }
}
