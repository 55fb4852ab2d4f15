/// An event of a publisher that was let in: it goes into the record of its frame.
struct PublishedEvent {
    var sequence: UInt64
    var topic: Int
    var partition: Int
    var envelope: UnsafeRawBufferPointer
}

extension Hub {
    /// Takes the events of a frame of an outside party.
    ///
    /// Those that follow each other become one record. A repeated one is acknowledged again, not
    /// stored again.
    func publish(
        _ id: ConnectionID,
        _ connection: Connection,
        _ reader: inout WireReader,
        _ now: Instant
    ) throws(WireError) {
        guard let name = connection.hello?.name else { return }
        var course = PublishCourse(self.publishers[name] ?? PublisherProgress())
        var before = try reader.varint()
        defer { self.publishing.removeAll(keepingCapacity: true) }
        repeat {
            let sequence = try reader.varint()
            let topic = try reader.count()
            let envelope = try reader.view()
            self.publish(id, connection, sequence, before, topic, envelope, &course, now)
            before = sequence
        } while !reader.isAtEnd
        self.store(course.progress, connection, now)
        if let sequence = course.confirmed {
            self.answer(id) { $0.frame(.published) { $0.varint(sequence) } }
        }
    }

    /// How far the frame under way is.
    private struct PublishCourse {
        var progress: PublisherProgress
        /// Up to where the publisher is told that all is stored.
        var confirmed: UInt64?
        /// How many bytes wait for their record.
        var bytes = 0
        /// For how many more events of a partition nobody's backlog need be looked at.
        var allowance = 0
        var allowed: (topic: Int, partition: Int) = (-1, -1)
        var admitted: AdmittedEvent?

        init(_ progress: PublisherProgress) { self.progress = progress }
    }

    private func publish(
        _ id: ConnectionID,
        _ connection: Connection,
        _ sequence: UInt64,
        _ before: UInt64,
        _ topic: Int,
        _ envelope: UnsafeRawBufferPointer,
        _ course: inout PublishCourse,
        _ now: Instant
    ) {
        guard !course.progress.knows(sequence) else {
            if course.progress.hasRefused(sequence) {
                return self.refusePublish(id, sequence, Self.fullRefusal)
            }
            return course.confirmed = course.progress.storedUpTo
        }
        let isNext = course.progress.knows(before)
        guard isNext || before == connection.refusedUpTo else {
            return self.missed(id, connection, after: course.progress.storedUpTo)
        }
        guard self.hasRoom(toPublish: course.bytes + envelope.count) else {
            connection.refused(sequence)
            if self.isFlawed("full-disk-confirmed") { return course.confirmed = sequence }
            return self.refusePublish(id, sequence, Self.fullRefusal)
        }
        let partition: Int
        do {
            partition = try self.admit(envelope, topic, connection, &course.admitted)
            try self.checkBacklog(topic, partition, &course)
        } catch {
            connection.refused(sequence)
            self.auditRefusal(error, of: connection, now)
            return self.refusePublish(id, sequence, error)
        }
        // The publisher must know of a refusal before a later event is stored: that the hub has
        // stored everything up to an event means that nothing before it was refused unheard.
        guard isNext else {
            return self.missed(id, connection, after: course.progress.storedUpTo)
        }
        // The publisher may have been told already, and count it as never stored.
        guard !connection.hasRefused(sequence) else {
            return self.refusePublish(id, sequence, Self.fullRefusal)
        }
        if self.layout.isVolatile(topic) {
            self.topics[topic][partition].appendVolatile(envelope)
            self.grew(topic: topic, partition: partition)
        } else {
            if let last = self.publishing.last, last.sequence + 1 != sequence {
                // What was refused in between must not look as if it were in the record.
                self.store(course.progress, connection, now)
            }
            self.publishing.append(
                PublishedEvent(
                    sequence: sequence,
                    topic: topic,
                    partition: partition,
                    envelope: envelope
                )
            )
            course.bytes += envelope.count + 24
            let syncs = self.layout.topics[topic].sync == .always
            self.needsSync = self.needsSync || syncs && !self.isFlawed("publish-unsynced")
        }
        course.progress.stored(sequence)
        connection.stored(upTo: sequence)
        course.confirmed = sequence
    }

    /// Writes the events that were let in as one record.
    private func store(
        _ progress: PublisherProgress,
        _ connection: Connection,
        _ now: Instant
    ) {
        guard let name = connection.hello?.name else { return }
        if progress.storedUpTo > self.publishers[name]?.storedUpTo ?? 0 {
            self.publishers[name] = progress
        }
        guard let last = self.publishing.last else { return }
        var places = self.places
        self.places = []
        let record = self.log.append { writer, body in
            let start = writer.bytes.count
            writer.record(.published, at: now)
            writer.text(name)
            writer.varint(last.sequence)
            writer.varint(UInt64(self.publishing.count))
            var offset: UInt64 = 0
            var previous: (topic: Int, partition: Int) = (-1, -1)
            var ends: [Int: UInt64] = [:]
            for event in self.publishing {
                if previous != (event.topic, event.partition) {
                    if previous.topic >= 0 {
                        ends[previous.topic << 16 | previous.partition] = offset
                    }
                    previous = (event.topic, event.partition)
                    offset =
                        (ends.isEmpty ? nil : ends[event.topic << 16 | event.partition])
                        ?? self.topics[event.topic][event.partition].end
                }
                writer.place(topic: event.topic, partition: event.partition, offset: offset)
                writer.counted(event.envelope)
                let end = body + UInt64(writer.bytes.count - start)
                let count = event.envelope.count
                places.append(EventPlace(position: end - UInt64(count), count: UInt32(count)))
                offset += 1
            }
        }
        self.index(places, record)
        places.removeAll(keepingCapacity: true)
        self.places = places
        self.publishing.removeAll(keepingCapacity: true)
    }

    /// Notes where the events that were just written lie, run by run.
    private func index(_ places: [EventPlace], _ record: UInt64) {
        var start = 0
        while start < places.count {
            let (topic, partition) = (
                self.publishing[start].topic, self.publishing[start].partition
            )
            var end = start + 1
            while end < places.count, self.publishing[end].topic == topic,
                self.publishing[end].partition == partition
            {
                end += 1
            }
            self.topics[topic][partition].append(places[start..<end], record: record)
            self.grew(topic: topic, partition: partition)
            start = end
        }
    }

    // MARK: Volatile events

    /// Takes events of one topic that are kept in memory only, and that nobody confirms.
    func takeVolatile(
        _ connection: Connection,
        _ reader: inout WireReader,
        _ now: Instant
    ) throws(WireError) {
        let topic = try reader.count()
        var run = VolatileRun(topic: topic, start: reader.offset)
        var admitted: AdmittedEvent?
        defer { self.take(run, of: reader.bytes) }
        repeat {
            let start = reader.offset
            let envelope = try reader.view()
            do throws(Refusal) {
                let partition = try self.admit(envelope, topic, connection, &admitted)
                guard self.layout.isVolatile(topic) else {
                    throw Refusal(
                        .undeclared,
                        "an event of topic \(self.layout.topicName(topic)), which is synced, came "
                            + "without a number"
                    )
                }
                if partition != run.partition || start - run.start >= Frame.batchBytes {
                    self.take(run, of: reader.bytes)
                    (run.partition, run.start) = (partition, start)
                }
                self.volatileEnds.append(reader.offset &- run.start)
            } catch {
                self.take(run, of: reader.bytes)
                run.start = reader.offset
                self.auditRefusal(error, of: connection, now)
            }
        } while !reader.isAtEnd
    }

    /// Events of one frame and one partition that follow each other.
    private struct VolatileRun {
        let topic: Int
        var partition = 0
        var start: Int
    }

    /// Keeps the events of a run that were let in.
    private func take(_ run: VolatileRun, of frame: UnsafeRawBufferPointer) {
        guard let count = self.volatileEnds.last else { return }
        self.topics[run.topic][run.partition].appendVolatile(
            UnsafeRawBufferPointer(rebasing: frame[run.start..<run.start + count]),
            endingAt: self.volatileEnds
        )
        self.volatileEnds.removeAll(keepingCapacity: true)
        self.grew(topic: run.topic, partition: run.partition)
    }

    // MARK: Refusals

    /// A line in each second is enough for what every event is refused for.
    private func auditRefusal(_ refusal: Refusal, of connection: Connection, _ now: Instant) {
        if refusal.code == .full {
            guard now >= connection.nextFullAudit else { return }
            connection.nextFullAudit = now + .seconds(1)
        }
        self.audit(refusal, of: connection, now)
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

    /// The event of a frame that was let in last: the next one often has the same attributes.
    private struct AdmittedEvent {
        let view: EnvelopeView
        let topic: Int
        let partition: Int
    }

    /// Returns the partition for an event that this client may put into that topic.
    private func admit(
        _ envelope: UnsafeRawBufferPointer,
        _ topic: Int,
        _ connection: Connection,
        _ last: inout AdmittedEvent?
    ) throws(Refusal) -> Int {
        if let last, last.topic == topic, last.view.hasTexts(of: envelope),
            envelope.count <= self.layout.limits.eventBytesMax
        {
            return last.partition
        }
        let view = try self.check(envelope, topic, connection)
        let partition = view.partition(among: self.layout.partitionCount(topic))
        last = AdmittedEvent(view: view, topic: topic, partition: partition)
        return partition
    }

    /// Whether the topology lets this client put this event into that topic.
    func check(
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
            try view.check()
        } catch {
            throw Refusal(.malformed, "\(connection.name): \(error.message)")
        }
        let isOwn =
            view.source.count == connection.source.count
            && connection.source.withUnsafeBufferPointer { view.source.hasEqualBytes($0) }
        guard isOwn else {
            throw Refusal(
                .notAllowed,
                "\(connection.name) emits an event whose source is '\(view.sourceText)'"
            )
        }
        guard topic < connection.emits.count, connection.emits[topic] else {
            let what = topic < self.layout.topicCount ? self.layout.topicName(topic) : "\(topic)"
            throw Refusal(
                .undeclared,
                "\(connection.hello?.name ?? connection.name) emits to topic '\(what)', which its "
                    + "'emits' in the topology file does not list"
            )
        }
        return view
    }

    // MARK: Backlog

    /// Whether no consumer of the topic is too far behind to take more.
    private func checkBacklog(
        _ topic: Int,
        _ partition: Int,
        _ course: inout PublishCourse
    ) throws(Refusal) {
        guard let limit = self.layout.limits.backlogMax else { return }
        if course.allowed == (topic, partition), course.allowance > 0 {
            course.allowance -= 1
            return
        }
        let partitions = self.layout.partitionCount(topic)
        let staged = self.publishing.count { $0.topic == topic && $0.partition == partition }
        var allowance = limit
        for (service, cursor) in self.consumers[topic] {
            // Only where this partition has its share of the limit the others are looked at too.
            let here = staged + self.backlog(service, partition, cursor, topic)
            allowance = min(allowance, (limit - here * partitions) / partitions)
            guard here * partitions >= limit else { continue }
            let all = (0..<partitions).reduce(self.publishing.count { $0.topic == topic }) {
                $0 + self.backlog(service, $1, cursor, topic)
            }
            guard all >= limit else { continue }
            throw Refusal(
                .full,
                "\(all) events of \(self.layout.topicName(topic)) wait for "
                    + "\(self.layout.services[service].name); the limit is \(limit) "
                    + "(limits.backlogMax): try again later"
            )
        }
        course.allowed = (topic, partition)
        course.allowance = allowance - 1
    }

    private func backlog(_ service: Int, _ partition: Int, _ cursor: Int, _ topic: Int) -> Int {
        // What is in memory only goes by itself when there is too much of it.
        guard !self.layout.isVolatile(topic) else { return 0 }
        let end = self.topics[topic][partition].end
        return Int(end - min(end, self.services[service][partition].cursors[cursor].floor))
    }
}
