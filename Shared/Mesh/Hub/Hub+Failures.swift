extension Hub {
    /// A service failed to handle a delivery: try again later, or give it up.
    func nack(
        _ id: ConnectionID,
        _ service: Int,
        _ reader: inout WireReader,
        _ now: Instant
    ) throws(WireError) {
        let partition = try self.partition(&reader, service)
        let epoch = try reader.varint()
        let topic = try reader.count()
        let offset = try reader.varint()
        let error = try reader.text()
        let state = self.services[service][partition]
        guard state.owner == id, state.epoch == epoch else { return }
        guard let cursor = state.cursorIndex(topic),
            offset < state.cursors[cursor].next,
            !state.cursors[cursor].isAcknowledged(offset)
        else { return }
        // The attempt came twice, and failed twice: it was one all the same.
        guard state.cursors[cursor].failures[offset]?.isWaiting != true else { return }
        if !self.isFlawed("credit-leak") { self.services[service][partition].credit += 1 }
        if self.isFlawed("failure-forgotten") { return }
        self.attemptFailed(service, partition, cursor, offset, error, now)
    }

    /// Counts a commit that can never be taken as a failed attempt: it must not come for ever.
    func attemptFailed(
        _ commit: CommitView,
        _ service: Int,
        _ refusal: Refusal,
        _ now: Instant
    ) {
        guard refusal.code.isAboutContent else { return }
        let state = self.services[service][commit.partition]
        for run in commit.acknowledged {
            guard let cursor = state.cursorIndex(run.topic) else { continue }
            let reader = state.cursors[cursor]
            // A commit may claim more than was ever delivered.
            let open = min(reader.floor, reader.next)..<reader.next
            for offset in run.offsets.clamped(to: open) where !reader.isAcknowledged(offset) {
                self.attemptFailed(
                    service,
                    commit.partition,
                    cursor,
                    offset,
                    "the turn was refused: \(refusal.message)",
                    now
                )
            }
        }
    }

    private func attemptFailed(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        _ error: String,
        _ now: Instant
    ) {
        let before = self.services[service][partition].cursors[cursor].failures[offset]?.attempts
        let attempts = (before ?? 0) + 1
        guard attempts < self.layout.limits.attemptsMax else {
            return self.givingUp.append(
                GivingUp(
                    service: service,
                    partition: partition,
                    cursor: cursor,
                    offset: offset,
                    attempts: attempts,
                    error: error
                )
            )
        }
        let due = now + self.backoff(attempts, service, cursor, offset)
        self.services[service][partition].cursors[cursor].failures[offset] =
            Cursor.Failure(attempts: attempts, error: error, isWaiting: true, due: due)
        self.deadlines.add(
            .retry(
                service: service,
                partition: partition,
                cursor: cursor,
                offset: offset,
                epoch: self.services[service][partition].epoch
            ),
            due: due
        )
    }

    /// Doubles with each attempt up to the limit; between half of it and all of it, so that what
    /// failed together is not tried again together.
    private func backoff(
        _ attempts: Int,
        _ service: Int,
        _ cursor: Int,
        _ offset: UInt64
    ) -> Duration {
        // All partitions of a service have the same cursors.
        let topic = self.services[service][0].cursors[cursor].topic
        let limits = self.layout.limits
        let minimum = limits.backoffMin.inNanoseconds
        let doubled = minimum << Int64(min(attempts - 1, 30))
        let full = min(max(doubled, minimum), limits.backoffMax.inNanoseconds)
        let seed = StableHash.combine(UInt64(service << 32 | topic), offset)
        var random = SeededRandom(seed: StableHash.combine(seed, UInt64(attempts)))
        return .nanoseconds(full / 2 + Int64(random.below(Int(max(full / 2, 1)))))
    }

    func retryCameDue(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        _ epoch: UInt64
    ) {
        guard self.services[service][partition].epoch == epoch else { return }
        self.services[service][partition].cursors[cursor].failures[offset]?.isWaiting = false
        // What is parked becomes due when that ends.
        guard self.services[service][partition].cursors[cursor].parked[offset] == nil
        else { return }
        self.services[service][partition].cursors[cursor].becameDue(offset)
        self.mayDeliver(service, partition)
    }

    /// Moves a delivery to the service's dead letters.
    func giveUp(_ failed: GivingUp, _ now: Instant) throws(LogError) {
        let (service, partition) = (failed.service, failed.partition)
        let (cursor, offset) = (failed.cursor, failed.offset)
        let topic = self.services[service][partition].cursors[cursor].topic
        guard !self.services[service][partition].cursors[cursor].isAcknowledged(offset)
        else { return }
        let envelope = try self.withEvent(service, partition, cursor, offset) { [UInt8]($0) }
        let number = UInt64(self.deadLetters[service].count) + 1
        let record = self.log.append { writer, _ in
            writer.record(.deadLettered, at: now)
            writer.varint(number)
            writer.varint(UInt64(service))
            writer.varint(UInt64(partition))
            writer.varint(UInt64(topic))
            writer.varint(offset)
            writer.varint(UInt64(failed.attempts))
            writer.text(failed.error)
            writer.counted(envelope)
        }
        self.needsSync = true
        self.services[service][partition].cursors[cursor].acknowledge(offset)
        self.deadLetters[service].append(
            DeadLetterEntry(number: number, record: record, isRedriven: false)
        )
        if let owner = self.services[service][partition].owner {
            let epoch = self.services[service][partition].epoch
            self.send(to: owner) {
                $0.frame(.settled) {
                    $0.varint(UInt64(partition))
                    $0.varint(epoch)
                    $0.varint(UInt64(topic))
                    $0.varint(offset)
                }
            }
        }
        self.mayDeliver(service, partition)
    }
}
