extension Hub {
    // MARK: Turns

    /// Takes a turn, whole or not at all.
    func commit(_ id: ConnectionID, _ service: Int, _ commit: CommitView, _ now: Instant) {
        guard let connection = self.connections[id] else { return }
        if self.isRepeated(commit, id, service) {
            return self.committed(id, commit.partition, commit.epoch, commit.sequence)
        }
        do {
            try self.fence(commit, id, service)
            try self.check(commit, service, connection)
        } catch {
            self.audit(error, of: connection, now)
            return self.refuseCommit(id, service, commit, error, now)
        }
        self.write(commit, service, now)
        self.services[service][commit.partition].sequence = commit.sequence
        self.services[service][commit.partition].credit += commit.credit
        self.mayDeliver(service, commit.partition)
        self.committed(id, commit.partition, commit.epoch, commit.sequence)
    }

    /// Whether the commit came before and was taken.
    private func isRepeated(_ commit: CommitView, _ id: ConnectionID, _ service: Int) -> Bool {
        guard commit.partition < self.services[service].count else { return false }
        guard self.services[service][commit.partition].owner == id,
            self.services[service][commit.partition].epoch == commit.epoch
        else { return false }
        let last = self.services[service][commit.partition].sequence
        return commit.sequence >= 1 && commit.sequence <= last
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
        self.attemptFailed(commit, service, refusal, now)
        self.services[service][commit.partition].owner = nil
        self.services[service][commit.partition].phase = .unowned
        self.rebalance(service, now)
    }

    private func fence(_ commit: CommitView, _ id: ConnectionID, _ service: Int) throws(Refusal) {
        guard commit.partition < self.services[service].count else {
            throw Refusal(.malformed, "there is no partition \(commit.partition)")
        }
        if self.isFlawed("stale-epoch-accepted") { return }
        let epoch = self.services[service][commit.partition].epoch
        guard self.services[service][commit.partition].owner == id, epoch == commit.epoch else {
            throw Refusal(
                .staleEpoch,
                "partition \(commit.partition) of \(self.layout.services[service].name) is in "
                    + "epoch \(epoch), the commit is of epoch \(commit.epoch)"
            )
        }
        let last = self.services[service][commit.partition].sequence
        guard commit.sequence == last + 1 else {
            throw Refusal(.sequenceGap, "commit \(commit.sequence) follows commit \(last)")
        }
    }

    /// Checks every part of a commit; notes the partition of each emitted event.
    private func check(
        _ commit: CommitView,
        _ service: Int,
        _ connection: Connection
    ) throws(Refusal) {
        for run in commit.acknowledged { try self.check(run, commit.partition, service) }
        self.emittedPartitions.clear()
        for emission in commit.emitted {
            let view = try self.check(emission.envelope, emission.topic, connection)
            guard self.layout.topics[emission.topic].sync == .always else {
                throw Refusal(
                    .undeclared,
                    "topic \(self.layout.topicName(emission.topic)) is never synced and cannot "
                        + "take part in a turn"
                )
            }
            self.emittedPartitions.append(
                view.partition(among: self.layout.partitionCount(emission.topic))
            )
        }
        for timer in commit.timersSet {
            do {
                try EnvelopeView(timer.envelope).check()
            } catch {
                throw Refusal(.malformed, "timer \(timer.name): \(error.message)")
            }
        }
    }

    /// Whether those offsets exist and were not acknowledged before.
    private func check(
        _ run: AcknowledgedRun,
        _ partition: Int,
        _ service: Int
    ) throws(Refusal) {
        guard let cursor = self.services[service][partition].cursorIndex(run.topic),
            run.offsets.upperBound <= self.topics[run.topic][partition].end
        else {
            throw Refusal(
                .malformed,
                "offsets \(run.offsets) of topic \(run.topic) cannot be acknowledged"
            )
        }
        // What is in memory only is passed over when it is gone, whoever has handled it.
        guard !self.layout.isVolatile(run.topic), !self.isFlawed("stale-epoch-accepted"),
            !self.isFlawed("repeats-handled"),
            let repeated = self.services[service][partition].cursors[cursor]
                .firstAcknowledged(in: run.offsets)
        else { return }
        throw Refusal(
            .alreadyAcknowledged,
            "offset \(repeated) of \(self.layout.topicName(run.topic))"
        )
    }

    /// Whether nothing of a commit must outlive the hub.
    private func isVolatile(_ commit: CommitView) -> Bool {
        commit.emitted.isEmpty && commit.changes.isEmpty && commit.timersSet.isEmpty
            && commit.timersCancelled.isEmpty && commit.snapshot == nil
            && !commit.acknowledged.isEmpty
            && commit.acknowledged.allSatisfy { self.layout.isVolatile($0.topic) }
    }

    private func acknowledge(_ commit: CommitView, _ service: Int) {
        for run in commit.acknowledged {
            guard let cursor = self.services[service][commit.partition].cursorIndex(run.topic)
            else { continue }
            self.services[service][commit.partition].cursors[cursor].acknowledge(run.offsets)
        }
    }

    /// Records a commit; the partitions of what it emits are in ``emittedPartitions``.
    func write(_ commit: CommitView, _ service: Int, _ now: Instant) {
        guard !self.isVolatile(commit) else { return self.acknowledge(commit, service) }
        let firstChange = self.services[service][commit.partition].journalEnd
        // Where the next event of a partition lies: a few, so that looking is faster than hashing.
        var ends: [(key: Int, offset: UInt64)] = []
        let record = self.log.append { writer, body in
            let start = writer.bytes.count
            writer.record(.turn, at: now)
            writer.varint(UInt64(service))
            writer.varint(UInt64(commit.partition))
            writer.varint(commit.epoch)
            writer.varint(commit.sequence)
            // What was in memory only does not exist for those who read the log.
            let runs = commit.acknowledged
            let isKept = { (run: AcknowledgedRun) in !self.layout.isVolatile(run.topic) }
            writer.varint(runs.reduce(0) { $0 + (isKept($1) ? UInt64($1.offsets.count) : 0) })
            for run in runs where isKept(run) {
                for offset in run.offsets {
                    writer.varint(UInt64(run.topic))
                    writer.varint(offset)
                }
            }
            writer.varint(UInt64(commit.emitted.count))
            for (index, emission) in commit.emitted.enumerated() {
                let partition = self.emittedPartitions[index]
                var offset = self.topics[emission.topic][partition].end
                if commit.emitted.count > 1 {
                    let key = emission.topic << 16 | partition
                    if let end = ends.firstIndex(where: { $0.key == key }) {
                        offset = ends[end].offset
                        ends[end].offset += 1
                    } else {
                        ends.append((key, offset + 1))
                    }
                }
                writer.place(topic: emission.topic, partition: partition, offset: offset)
                writer.counted(emission.envelope)
                let end = body + UInt64(writer.bytes.count - start)
                let count = emission.envelope.count
                self.places.append(
                    EventPlace(position: end - UInt64(count), count: UInt32(count))
                )
            }
            Self.writeRest(of: commit, firstChange, &writer)
        }
        self.needsSync = true
        self.acknowledge(commit, service)
        for (index, emission) in commit.emitted.enumerated() {
            let partition = self.emittedPartitions[index]
            self.topics[emission.topic][partition].append(self.places[index], record: record)
            self.grew(topic: emission.topic, partition: partition)
        }
        self.places.clear()
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
                due: timer.due + (.zero - self.flawedHaste(timer.envelope))
            )
        }
        for name in commit.timersCancelled
        where self.services[service][partition].timers.removeValue(forKey: name) != nil {
            self.cancelledTimerCount += 1
        }
        self.forgetCancelledTimers()
    }

    /// How much too early the planted bugs let a timer fire.
    private func flawedHaste(_ envelope: UnsafeRawBufferPointer) -> Duration {
        if self.configuration.flaws.isEmpty { return .zero }
        if self.isFlawed("timers-early") { return .milliseconds(500) }
        guard self.isFlawed("timers-by-sender"),
            let event = try? EventEnvelope(decoding: [UInt8](envelope))
        else { return .zero }
        return max(.zero, event.time - self.timeOfInput)
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
        guard self.hasRoomForTurns, now >= self.timersRestUntil else {
            let again = Deadline.timer(
                service: service,
                partition: partition,
                name: name,
                generation: generation
            )
            let due = max(self.timersRestUntil, now + Self.roomInterval)
            return self.deadlines.add(again, due: due)
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
