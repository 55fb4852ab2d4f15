/// The hub's durable state as one value: written at the start of each segment of the log, so that a
/// recovery reads the last segments only, however long the log has become.
extension Hub {
    /// Everything that the records so far amount to.
    func checkpoint() -> [UInt8] {
        var writer = WireWriter()
        writer.u64(self.layout.fingerprint)
        for partitions in self.topics {
            for partition in partitions { partition.encode(into: &writer) }
        }
        for partitions in self.services {
            for partition in partitions { partition.encode(into: &writer) }
        }
        writer.varint(UInt64(self.publishers.count))
        for (name, progress) in self.publishers.sorted(by: { $0.key < $1.key }) {
            writer.text(name)
            progress.encode(into: &writer)
        }
        for letters in self.deadLetters {
            writer.varint(UInt64(letters.count))
            for letter in letters {
                writer.varint(letter.number)
                writer.varint(letter.record)
                writer.u8(letter.isRedriven ? 1 : 0)
            }
        }
        return writer.bytes
    }
}

extension HubRecovery {
    /// Replaces everything by what ``Hub/checkpoint()`` wrote.
    mutating func restore(from state: UnsafeRawBufferPointer) throws(WireError) {
        var reader = WireReader(state)
        let fingerprint = try reader.u64()
        guard fingerprint == self.layout.fingerprint else {
            self.otherLayout = fingerprint
            return
        }
        for topic in self.topics.indices {
            for partition in self.topics[topic].indices {
                self.topics[topic][partition] = try TopicPartition(from: &reader)
            }
        }
        for service in self.services.indices {
            for partition in self.services[service].indices {
                try self.services[service][partition].restore(from: &reader)
            }
        }
        self.publishers = [:]
        for _ in 0..<(try reader.count()) {
            let name = try reader.text()
            self.publishers[name] = try PublisherProgress(from: &reader)
        }
        for service in self.deadLetters.indices {
            self.deadLetters[service] = []
            for _ in 0..<(try reader.count()) {
                self.deadLetters[service].append(
                    Hub.DeadLetterEntry(
                        number: try reader.varint(),
                        record: try reader.varint(),
                        isRedriven: try reader.u8() == 1
                    )
                )
            }
        }
    }
}

extension ServicePartition {
    fileprivate func encode(into writer: inout WireWriter) {
        writer.varint(self.epoch)
        writer.u8(self.isProjection ? 1 : 0)
        writer.varint(UInt64(self.cursors.count))
        for cursor in self.cursors { cursor.encode(into: &writer) }
        writer.varint(self.journalEnd)
        writer.u8(self.snapshotRecord == nil ? 0 : 1)
        writer.varint(self.snapshotRecord ?? 0)
        writer.varint(UInt64(self.journalRecords.count))
        for record in self.journalRecords { writer.varint(record) }
        writer.varint(self.timerGeneration)
        writer.varint(UInt64(self.timers.count))
        for name in self.timers.keys.sorted() {
            guard let timer = self.timers[name] else { continue }
            writer.text(name)
            writer.i64(timer.due.nanoseconds)
            writer.varint(timer.generation)
            writer.counted(timer.envelope)
        }
    }

    fileprivate mutating func restore(from reader: inout WireReader) throws(WireError) {
        self.epoch = try reader.varint()
        self.isProjection = try reader.u8() == 1
        self.cursors = []
        for _ in 0..<(try reader.count()) { self.cursors.append(try Cursor(from: &reader)) }
        self.journalEnd = try reader.varint()
        let hasSnapshot = try reader.u8() == 1
        let record = try reader.varint()
        self.snapshotRecord = hasSnapshot ? record : nil
        self.journalRecords = []
        for _ in 0..<(try reader.count()) { self.journalRecords.append(try reader.varint()) }
        self.timerGeneration = try reader.varint()
        self.timers = [:]
        for _ in 0..<(try reader.count()) {
            let name = try reader.text()
            self.timers[name] = PendingTimer(
                due: Instant(nanoseconds: try reader.i64()),
                generation: try reader.varint(),
                envelope: try reader.counted()
            )
        }
    }
}
