extension Hub {
    /// How long an owner that was asked for a partition may take before it is fenced off.
    static let revocationTimeout = Duration.seconds(2)

    /// Spreads a service's partitions over its connected instances that are to stay.
    ///
    /// An owner that is alive is asked first, so that what it has in hand is committed before the
    /// partition moves. Where nobody stays, those that leave are asked all the same.
    func rebalance(_ service: Int, _ now: Instant) {
        let present = self.connections
            .filter { $0.value.service == service }
            .sorted { ($0.value.name, $0.key) < ($1.value.name, $1.key) }
        guard !present.isEmpty else { return }
        let staying = present.filter { !$0.value.isLeaving }.map(\.key)
        // What was asked for is on its way to somebody else already.
        let owners = self.services[service].map { $0.phase == .revoking ? nil : $0.owner }
        let heirs = Self.spread(owners, over: staying)
        for (partition, heir) in heirs.enumerated() {
            switch (self.services[service][partition].owner, heir) {
            case (nil, let heir?): self.assign(service, partition, to: heir, now)
            case (let owner?, let heir)
            where owner != heir && self.services[service][partition].isTold:
                self.revoke(service, partition, from: owner, now)
            case (let owner?, let heir) where owner != heir:
                self.services[service][partition].owner = nil
                self.services[service][partition].phase = .unowned
                if let heir { self.assign(service, partition, to: heir, now) }
            default: break
            }
        }
    }

    /// Returns who shall own each partition: as evenly as can be, and with as few moves.
    ///
    /// Those that own most keep one more where the partitions do not come out even; what nobody
    /// may keep goes to whom has too little, in the order given.
    package static func spread(
        _ owners: [ConnectionID?],
        over instances: [ConnectionID]
    ) -> [ConnectionID?] {
        guard !instances.isEmpty else { return owners.map { _ in nil } }
        var room: [ConnectionID: Int] = [:]
        let owned = instances.map { instance in owners.count { $0 == instance } }
        let byOwned = instances.indices.sorted { (-owned[$0], $0) < (-owned[$1], $1) }
        for (rank, index) in byOwned.enumerated() {
            let isLarger = rank < owners.count % instances.count
            room[instances[index]] = owners.count / instances.count + (isLarger ? 1 : 0)
        }
        var heirs = owners.map { owner -> ConnectionID? in
            guard let owner, let left = room[owner], left > 0 else { return nil }
            room[owner] = left - 1
            return owner
        }
        var free = instances.flatMap { instance in
            Array(repeating: instance, count: room[instance] ?? 0)
        }[...]
        for partition in heirs.indices where heirs[partition] == nil {
            heirs[partition] = free.popFirst()
        }
        return heirs
    }

    private func revoke(
        _ service: Int,
        _ partition: Int,
        from owner: ConnectionID,
        _ now: Instant
    ) {
        if case .revoking = self.services[service][partition].phase { return }
        let epoch = self.services[service][partition].epoch
        self.services[service][partition].phase = .revoking
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

    /// Takes all partitions from an instance that is to end; a notice says when it has none.
    func leave(_ request: JSONValue, _ now: Instant) -> JSONValue {
        let name = request["instance"]?.string ?? ""
        let found = self.connections.first { $0.value.service != nil && $0.value.name == name }
        guard let (id, connection) = found, let service = connection.service else {
            return ["error": .string("no instance '\(name)' is connected")]
        }
        connection.isLeaving = true
        self.rebalance(service, now)
        self.noticeIfLeft(id, service)
        return ["leaving": .string(name)]
    }

    private func noticeIfLeft(_ id: ConnectionID, _ service: Int) {
        guard let connection = self.connections[id], connection.isLeaving,
            !self.services[service].contains(where: { $0.owner == id })
        else { return }
        self.notice([
            "notice": "left",
            "service": .string(self.layout.services[service].name),
            "instance": .string(connection.name),
        ])
    }

    func revocationExpired(_ service: Int, _ partition: Int, _ epoch: UInt64, _ now: Instant) {
        let state = self.services[service][partition]
        guard state.epoch == epoch, case .revoking = state.phase else { return }
        self.handOver(service, partition, now)
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
        guard state.owner == id, state.epoch == epoch, case .revoking = state.phase
        else { return }
        self.handOver(service, partition, now)
    }

    private func handOver(_ service: Int, _ partition: Int, _ now: Instant) {
        let owner = self.services[service][partition].owner
        self.services[service][partition].owner = nil
        self.services[service][partition].phase = .unowned
        self.rebalance(service, now)
        if let owner { self.noticeIfLeft(owner, service) }
    }

    /// Makes `id` the owner under a new epoch; commits of older epochs are refused from here on.
    private func assign(_ service: Int, _ partition: Int, to id: ConnectionID, _ now: Instant) {
        guard let hello = self.connections[id]?.hello, let instance = self.connections[id]?.name
        else { return }
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
        self.services[service][partition].isTold = false
        self.services[service][partition].isProjection = hello.isProjection
        let state = self.services[service][partition]
        self.log.append { writer, _ in
            writer.record(.assigned, at: now)
            writer.varint(UInt64(service))
            writer.varint(UInt64(partition))
            writer.varint(state.epoch)
            writer.text(instance)
            writer.u8(state.isProjection ? 1 : 0)
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
        self.services[request.service][request.partition].isTold = true
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
        guard let state = try self.log.state(at: position) else {
            throw LogError(.corrupt, "the record at byte \(position) should hold a snapshot")
        }
        return state.snapshot
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
            guard let state = try self.log.state(at: position) else {
                throw LogError(.corrupt, "the record at byte \(position) should hold changes")
            }
            changes.append(contentsOf: state.changes)
            bytes += state.changes.reduce(0) { $0 + $1.count }
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
