extension Hub {
    /// A question or command of `squall`; answered by the next flush.
    func admin(
        _ id: ConnectionID,
        _ connection: Connection,
        _ reader: inout WireReader,
        _ now: Instant
    ) throws(WireError) {
        guard connection.hello?.role == .admin else {
            throw WireError("only an admin may command")
        }
        let number = try reader.varint()
        let text = try reader.text()
        do {
            let request = try JSONValue(parsing: text)
            self.adminRequests.append(
                AdminRequest(connection: id, number: number, request: request)
            )
        } catch {
            throw WireError("a command is not JSON: \(error)")
        }
    }

    func answer(_ request: AdminRequest, _ now: Instant) throws(LogError) {
        let answer = try self.carryOut(request.request, now)
        self.send(to: request.connection) {
            $0.frame(.answer) {
                $0.varint(request.number)
                $0.text(answer.text)
            }
        }
    }

    private func carryOut(_ request: JSONValue, _ now: Instant) throws(LogError) -> JSONValue {
        switch request["do"]?.string {
        case "status": return self.status()
        case "heal": return self.heal(request, now)
        case "slow": return self.slow(request)
        case "link": return self.arm(request, now)
        case "arm": return self.armTogether(request, now)
        case "disk": return self.harmDisk(request)
        case "leave": return self.leave(request, now)
        case "dead-letters": return try self.listDeadLetters(request)
        case "redrive", "rewind":
            guard !self.log.isFull else { return ["error": .string(Self.fullRefusal.message)] }
            return try request["do"] == "redrive"
                ? self.redrive(request, now) : self.rewind(request, now)
        case "drain":
            for id in self.connections.keys.sorted()
            where self.connections[id]?.hello?.role == .service {
                self.send(to: id) { $0.frame(.drain) { _ in } }
            }
            return [:]
        case "rest":
            self.timersRestUntil = now + Self.rest
            return [:]
        case let kind? where LinkFault.Kind(rawValue: kind) != nil:
            return self.arm(request, now)
        default:
            return ["error": .string("the hub cannot do '\(request["do"]?.string ?? "")'")]
        }
    }

    /// How long timers wait where an admin is about to end the topology; should it not, they fire
    /// then.
    private static let rest = Duration.seconds(5)

    // MARK: Status

    private func status() -> JSONValue {
        let services = self.layout.services.indices.map { service -> JSONValue in
            let states = self.services[service]
            var lag: Int64 = 0
            var open: Int64 = 0
            var retrying: Int64 = 0
            for (partition, state) in states.enumerated() {
                for cursor in state.cursors {
                    let end = self.topics[cursor.topic][partition].end
                    lag += Int64(end - cursor.floor) - Int64(cursor.acknowledged.count)
                    open += Int64(cursor.openCount)
                    retrying += Int64(cursor.failures.count)
                }
            }
            let instances = self.connections.sorted { $0.key < $1.key }
                .filter { $0.value.service == service }
                .map { id, connection -> JSONValue in
                    let owned = states.indices.filter { states[$0].owner == id }
                    return [
                        "instance": .string(connection.name),
                        "connected": true,
                        "ready": .bool(owned.allSatisfy { states[$0].phase == .ready }),
                        "leaving": .bool(connection.isLeaving),
                        "partitions": .array(owned.map { .int(Int64($0)) }),
                    ]
                }
            return [
                "name": .string(self.layout.services[service].name),
                "ready": .bool(states.allSatisfy { $0.phase == .ready }),
                "instances": .array(instances),
                "lag": .int(lag),
                "inFlight": .int(open),
                "retrying": .int(retrying),
                "deadLetters": .int(Int64(self.deadLetters[service].count { !$0.isRedriven })),
            ]
        }
        return [
            "services": .array(services),
            "rules": .array(self.rules.rules.map(\.json)),
            "disk": self.diskReport,
            "isFull": .bool(self.log.isFull),
            "slowSyncs": .int(Int64(self.slowSyncCount)),
            "position": .int(Int64(self.log.durable)),
            "records": .int(Int64(self.log.recordCount)),
        ]
    }

    // MARK: Slow services

    private func slow(_ request: JSONValue) -> JSONValue {
        let name = request["service"]?.string ?? ""
        let milliseconds = Int(max(0, request["milliseconds"]?.int ?? 0))
        if name == "hub" {
            return self.slowDisk(by: .milliseconds(milliseconds))
        }
        guard let service = self.layout.serviceIndex(name) else {
            return ["error": .string("there is no service '\(name)'")]
        }
        self.handicaps[service] = milliseconds > 0 ? milliseconds : nil
        self.setHandicap(service, milliseconds)
        return ["slow": .string(name), "milliseconds": .int(Int64(milliseconds))]
    }

    func setHandicap(_ service: Int, _ milliseconds: Int) {
        for id in self.connections.keys.sorted() where self.connections[id]?.service == service {
            self.send(to: id) { $0.frame(.handicap) { $0.varint(UInt64(milliseconds)) } }
        }
    }

    // MARK: Dead letters

    private func listDeadLetters(_ request: JSONValue) throws(LogError) -> JSONValue {
        var letters: [JSONValue] = []
        for service in self.layout.services.indices {
            let name = self.layout.services[service].name
            if let wanted = request["service"]?.string, wanted != name { continue }
            for entry in self.deadLetters[service] {
                guard letters.count < 1000 else { break }
                let letter = try self.deadLetter(entry)
                letters.append([
                    "service": .string(name),
                    "number": .int(Int64(letter.number)),
                    "type": .string(letter.event.type),
                    "subject": .string(letter.event.subject),
                    "topic": .string(self.layout.topicName(letter.topic)),
                    "error": .string(letter.error),
                    "attempts": .int(Int64(letter.attempts)),
                    "correlation": .string(letter.event.correlation),
                    "traceparent": .string(letter.event.trace.traceparent),
                    "id": .string(letter.event.id.description),
                    "data": .string(Hex.text(letter.event.data)),
                    "redriven": .bool(entry.isRedriven),
                ])
            }
        }
        return ["deadLetters": .array(letters)]
    }

    private func deadLetter(_ entry: DeadLetterEntry) throws(LogError) -> DeadLetter {
        guard case .deadLettered(let letter) = try self.log.record(at: entry.record).body else {
            throw LogError(.corrupt, "the record at byte \(entry.record) is no dead letter")
        }
        return letter
    }

    /// Puts dead letters into their service's inbox, once each.
    private func redrive(_ request: JSONValue, _ now: Instant) throws(LogError) -> JSONValue {
        let isDry = request["dryRun"]?.bool ?? false
        var count: Int64 = 0
        for service in self.layout.services.indices {
            let name = self.layout.services[service].name
            if let wanted = request["service"]?.string, wanted != name { continue }
            for index in self.deadLetters[service].indices {
                let entry = self.deadLetters[service][index]
                if let number = request["number"]?.int, UInt64(exactly: number) != entry.number {
                    continue
                }
                guard !entry.isRedriven else { continue }
                count += 1
                if isDry { continue }
                let letter = try self.deadLetter(entry)
                self.appendToInbox(service, letter.partition, letter.event.encoded()) {
                    $0.record(.redriven, at: now)
                    $0.varint(UInt64(service))
                    $0.varint(entry.number)
                }
                self.deadLetters[service][index].isRedriven = true
            }
        }
        return ["redriven": .int(count), "dryRun": .bool(isDry)]
    }

    // MARK: Rewind

    /// Sets a service's places back, and starts its partitions again from there.
    private func rewind(_ request: JSONValue, _ now: Instant) throws(LogError) -> JSONValue {
        let name = request["service"]?.string ?? ""
        guard let service = self.layout.serviceIndex(name) else {
            return ["error": .string("there is no service '\(name)'")]
        }
        // Also where no instance runs just now.
        let isProjection = self.services[service].contains(where: \.isProjection)
        if isProjection, request["to"]?.int != 0 || request["topic"] != nil {
            return [
                "error": .string(
                    "\(name) is a projection: its state and its places are one, so it can only be "
                        + "rewound to the start of all its topics; use --to 0 and no --topic"
                )
            ]
        }
        var moved: Int64 = 0
        for partition in self.services[service].indices {
            for cursor in self.services[service][partition].cursors.indices {
                let topic = self.services[service][partition].cursors[cursor].topic
                if topic >= self.layout.topics.count || self.layout.isVolatile(topic) { continue }
                if let wanted = request["topic"]?.string, wanted != self.layout.topicName(topic) {
                    continue
                }
                let first = self.topics[topic][partition].start
                let target = max(try self.target(request, topic, partition), first)
                let handled = self.services[service][partition].cursors[cursor]
                    .acknowledgedCount(from: target)
                guard handled > 0 else { continue }
                moved += Int64(handled)
                self.rewind(service, partition, cursor, to: target, now)
            }
            if isProjection, !self.isFlawed("rewound-keeps-state") {
                self.forgetState(service, partition, now)
            }
            self.services[service][partition].owner = nil
            self.services[service][partition].phase = .unowned
        }
        self.rebalance(service, now)
        return ["rewound": .string(name), "events": .int(moved)]
    }

    private func target(
        _ request: JSONValue,
        _ topic: Int,
        _ partition: Int
    ) throws(LogError) -> UInt64 {
        if let offset = request["to"]?.int { return UInt64(max(offset, 0)) }
        guard let time = request["toTime"]?.int else { return 0 }
        var finder = TimeFinder(
            topic: topic,
            partition: partition,
            time: Instant(nanoseconds: time)
        )
        var position = self.log.start
        while finder.offset == nil, position < self.log.durable {
            position = try self.log.scan(from: position, bytesMax: 1 << 20, into: &finder)
        }
        return finder.offset ?? self.topics[topic][partition].end
    }

    private func rewind(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        to offset: UInt64,
        _ now: Instant
    ) {
        let topic = self.services[service][partition].cursors[cursor].topic
        self.services[service][partition].cursors[cursor].rewind(to: offset)
        self.needsSync = true
        self.log.append { writer, _ in
            writer.record(.rewound, at: now)
            writer.varint(UInt64(service))
            writer.varint(UInt64(partition))
            writer.varint(UInt64(topic))
            writer.varint(offset)
        }
    }

    /// Records an empty snapshot, so that a projection begins anew.
    private func forgetState(_ service: Int, _ partition: Int, _ now: Instant) {
        let state = self.services[service][partition]
        var view = CommitView()
        view.partition = partition
        view.epoch = state.epoch
        view.sequence = state.sequence
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        view.snapshot = empty
        self.write(view, service, now)
    }
}

/// Finds the first event of a partition of a topic that was recorded at or after an instant.
private struct TimeFinder: PlaceVisitor {
    let topic: Int
    let partition: Int
    let time: Instant
    var offset: UInt64?
    private var candidate: UInt64?

    init(topic: Int, partition: Int, time: Instant) {
        self.topic = topic
        self.partition = partition
        self.time = time
    }

    mutating func record(at position: UInt64) { self.candidate = nil }

    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) {
        if topic == self.topic, partition == self.partition, self.candidate == nil {
            self.candidate = offset
        }
    }

    mutating func recorded(at time: Instant) {
        if self.offset == nil, time >= self.time { self.offset = self.candidate }
    }
}
