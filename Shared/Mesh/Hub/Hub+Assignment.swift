extension Hub {
    /// How long an owner that was asked for a partition may take before it is fenced off.
    static let revocationTimeout = Duration.seconds(2)

    /// Spreads a service's partitions over its connected instances.
    ///
    /// The `p`-th of *n* partitions goes to the `p × instances / n`-th instance by name. An owner
    /// that is alive is asked first, so that what it has in hand is committed before it moves.
    func rebalance(_ service: Int, _ now: Instant) {
        let instances = self.connections
            .filter { $0.value.service == service }
            .sorted { ($0.value.name, $0.key) < ($1.value.name, $1.key) }
            .map(\.key)
        guard !instances.isEmpty else { return }
        let count = self.services[service].count
        for partition in 0..<count {
            let heir = instances[partition * instances.count / count]
            switch (self.services[service][partition].owner, heir) {
            case (nil, let heir): self.assign(service, partition, to: heir, now)
            case (let owner?, let heir) where owner != heir:
                self.revoke(service, partition, from: owner, for: heir, now)
            default: break
            }
        }
    }

    private func revoke(
        _ service: Int,
        _ partition: Int,
        from owner: ConnectionID,
        for heir: ConnectionID,
        _ now: Instant
    ) {
        let epoch = self.services[service][partition].epoch
        if case .revoking = self.services[service][partition].phase {
            self.services[service][partition].phase = .revoking(heir: heir)
            return
        }
        self.services[service][partition].phase = .revoking(heir: heir)
        self.send(to: owner) {
            $0.frame(.revoke) {
                $0.varint(UInt64(partition))
                $0.varint(epoch)
            }
        }
        self.deadlines.add(
            .revocation(service: service, partition: partition, epoch: epoch),
            due: now + Self.revocationTimeout
        )
    }

    func revocationExpired(_ service: Int, _ partition: Int, _ epoch: UInt64, _ now: Instant) {
        let state = self.services[service][partition]
        guard state.epoch == epoch, case .revoking(let heir) = state.phase else { return }
        self.handOver(service, partition, to: heir, now)
    }

    func released(
        _ id: ConnectionID,
        _ service: Int,
        _ reader: inout WireReader,
        _ now: Instant
    ) throws(WireError) {
        let partition = try self.partition(&reader, service)
        let epoch = try reader.varint()
        let state = self.services[service][partition]
        guard state.owner == id, state.epoch == epoch, case .revoking(let heir) = state.phase
        else { return }
        self.handOver(service, partition, to: heir, now)
    }

    private func handOver(
        _ service: Int,
        _ partition: Int,
        to heir: ConnectionID,
        _ now: Instant
    ) {
        self.services[service][partition].owner = nil
        self.services[service][partition].phase = .unowned
        if self.connections[heir]?.service == service {
            self.assign(service, partition, to: heir, now)
        } else {
            self.rebalance(service, now)
        }
    }

    /// Makes `id` the owner under a new epoch; commits of older epochs are refused from here on.
    private func assign(_ service: Int, _ partition: Int, to id: ConnectionID, _ now: Instant) {
        guard let instance = self.connections[id]?.name else { return }
        let cursors = self.services[service][partition].cursors
        self.services[service][partition].restart()
        if self.isFlawed("inflight-lost") {
            for index in cursors.indices {
                self.services[service][partition].cursors[index].next = cursors[index].next
            }
        }
        if !self.isFlawed("epoch-reused") { self.services[service][partition].epoch += 1 }
        self.services[service][partition].owner = id
        self.services[service][partition].phase = .restoring
        let state = self.services[service][partition]
        self.log.append { writer, _ in
            writer.record(.assigned, at: now)
            writer.varint(UInt64(service))
            writer.varint(UInt64(partition))
            writer.varint(state.epoch)
            writer.text(instance)
        }
        self.needsSync = true
        self.journalRequests.append(
            JournalRequest(
                connection: id,
                service: service,
                partition: partition,
                epoch: state.epoch
            )
        )
    }

    /// Sends what an owner needs to rebuild its state, a chunk at a time.
    func answer(_ request: JournalRequest) throws(LogError) {
        let state = self.services[request.service][request.partition]
        guard state.owner == request.connection, state.epoch == request.epoch else { return }
        if request.start == nil { try self.sendAssignment(request, state) }
        try self.sendJournal(request, state)
    }

    private func sendAssignment(
        _ request: JournalRequest,
        _ state: ServicePartition
    ) throws(LogError) {
        let snapshot = try self.snapshotBytes(state)
        self.send(to: request.connection) {
            $0.frame(.assign) { frame in
                frame.varint(UInt64(request.partition))
                frame.varint(state.epoch)
                frame.varint(UInt64(state.cursors.count))
                for cursor in state.cursors {
                    frame.varint(UInt64(cursor.topic))
                    frame.varint(cursor.floor)
                }
                frame.u8(snapshot == nil ? 0 : 1)
                if let snapshot { frame.counted(snapshot) }
            }
        }
    }

    private func snapshotBytes(_ state: ServicePartition) throws(LogError) -> [UInt8]? {
        guard let position = state.snapshotRecord else { return nil }
        guard case .turn(let turn) = try self.log.record(at: position).body else {
            throw LogError(.corrupt, "the record at byte \(position) should hold a snapshot")
        }
        return turn.snapshot
    }

    func more(
        _ id: ConnectionID,
        _ service: Int,
        _ reader: inout WireReader
    ) throws(WireError) {
        self.journalRequests.append(
            JournalRequest(
                connection: id,
                service: service,
                partition: try self.partition(&reader, service),
                epoch: try reader.varint(),
                start: try reader.count()
            )
        )
    }

    /// Sends changes since the snapshot, at most about 256 KiB of them.
    private func sendJournal(
        _ request: JournalRequest,
        _ state: ServicePartition
    ) throws(LogError) {
        var index = request.start ?? 0
        var bytes = 0
        var changes: [[UInt8]] = []
        while index < state.journalRecords.count, bytes < 256 * 1024 {
            let position = state.journalRecords[index]
            guard case .turn(let turn) = try self.log.record(at: position).body else {
                throw LogError(.corrupt, "the record at byte \(position) should hold changes")
            }
            changes.append(contentsOf: turn.changes)
            bytes += turn.changes.reduce(0) { $0 + $1.count }
            index += 1
        }
        if self.isFlawed("journal-cut-short") { changes = changes.dropLast() }
        let isLast = index >= state.journalRecords.count
        self.send(to: request.connection) {
            $0.frame(.journal) { frame in
                frame.varint(UInt64(request.partition))
                frame.varint(state.epoch)
                frame.u8(isLast ? 1 : 0)
                frame.varint(UInt64(index))
                frame.varint(UInt64(changes.count))
                for change in changes { frame.counted(change) }
            }
        }
    }

    /// The owner is ready for more deliveries; the first credit says that it has its state.
    func credit(
        _ id: ConnectionID,
        _ service: Int,
        _ reader: inout WireReader,
        _ now: Instant
    ) throws(WireError) {
        let partition = try self.partition(&reader, service)
        let epoch = try reader.varint()
        let credit = try reader.count()
        let state = self.services[service][partition]
        guard state.owner == id, state.epoch == epoch else { return }
        self.services[service][partition].credit += credit
        if state.phase == .restoring {
            self.services[service][partition].phase = .ready
            self.announceReadiness(id, service)
        }
        self.mayDeliver(service, partition)
    }

    private func announceReadiness(_ id: ConnectionID, _ service: Int) {
        guard let connection = self.connections[id] else { return }
        let isReady = self.services[service].allSatisfy { $0.owner != id || $0.phase == .ready }
        if isReady {
            self.notice([
                "notice": "ready",
                "service": .string(self.layout.services[service].name),
                "instance": .string(connection.name),
            ])
        }
    }

    func partition(_ reader: inout WireReader, _ service: Int) throws(WireError) -> Int {
        let partition = try reader.count()
        guard partition < self.services[service].count else {
            throw WireError("there is no partition \(partition)")
        }
        return partition
    }
}
