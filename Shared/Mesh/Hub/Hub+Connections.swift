extension Hub {
    /// A client has connected.
    package func connected(_ id: ConnectionID, peer: PeerCredentials, now: Instant) {
        precondition(self.connections[id] == nil, "connection \(id.rawValue) connects twice")
        self.connections[id] = Connection(peer: peer)
    }

    /// A frame has arrived; `frame` is its body and valid during the call only.
    package func received(_ id: ConnectionID, frame: UnsafeRawBufferPointer, now: Instant) {
        guard let connection = self.connections[id] else { return }
        self.timeOfInput = now
        if connection.isCut || connection.waitsForRoom {
            // A service has only as much under way as its credit allows; a publisher may go on and
            // on, and sends again what was lost.
            for bytes in Self.singleEvents(of: frame) ?? [[UInt8](frame)] {
                if connection.service != nil || connection.heldBytes < HeldFrames.bytesMax {
                    connection.hold(bytes)
                }
                self.rules.bit { $0.isHubCut && $0.from == connection.hello?.name }
            }
            return
        }
        if self.isConcerned(connection) || !connection.inbound.isEmpty {
            return self.passFaults(id, connection, frame, now)
        }
        self.take(frame, id, connection, now)
    }

    /// Handles a frame that no fault keeps back any more.
    func take(
        _ frame: UnsafeRawBufferPointer,
        _ id: ConnectionID,
        _ connection: Connection,
        _ now: Instant
    ) {
        do {
            try self.handle(frame, id, connection, now)
        } catch {
            self.refuse(id, error, now)
        }
    }

    private func handle(
        _ frame: UnsafeRawBufferPointer,
        _ id: ConnectionID,
        _ connection: Connection,
        _ now: Instant
    ) throws(Refusal) {
        do throws(WireError) {
            var reader = WireReader(frame)
            let code = try reader.u8()
            guard let kind = Frame.ToHub(rawValue: code) else {
                throw WireError("there is no frame of kind \(code)")
            }
            guard let role = connection.hello?.role else {
                guard kind == .hello else { throw WireError("the first frame must be a hello") }
                return try self.admit(id, connection, &reader, now)
            }
            switch (kind, connection.service) {
            case (.publish, nil) where role == .publisher:
                try self.publish(id, connection, &reader, now)
            case (.volatile, nil) where role == .publisher:
                try self.takeVolatile(connection, &reader, now)
            case (.admin, nil): try self.admin(id, connection, &reader, now)
            case (.follow, nil) where role == .observer:
                self.follow(id, from: try reader.varint())
            case (.commit, _?) where !self.hasRoom(toCommit: frame.count):
                self.waitForRoom(connection, frame)
            case (.commit, let service?):
                // The lists of the last one are room for this one's.
                var commit = CommitView()
                swap(&commit, &self.lastCommit)
                defer { swap(&commit, &self.lastCommit) }
                try commit.read(from: &reader)
                guard !self.comesEarly(commit, service, id, frame, now) else { return }
                self.commit(id, service, commit, now)
                self.takeEarlyCommits(service, commit.partition, now)
            case (.unanswered, let service?): try self.unanswered(id, service, &reader, now)
            case (.sealed, _):
                // What was damaged on its way counts as lost.
                guard let inside = Seal.opened(frame) else { return }
                self.take(inside, id, connection, now)
            case (.nack, let service?): try self.nack(id, service, &reader, now)
            case (.credit, let service?): try self.credit(id, service, &reader, now)
            case (.more, let service?): try self.more(id, service, &reader)
            case (.released, let service?): try self.released(id, service, &reader, now)
            default: throw WireError("a frame of kind \(kind) is not for this client")
            }
        } catch {
            throw Refusal(.malformed, "a frame of \(connection.name): \(error.message)")
        }
    }

    private func admit(
        _ id: ConnectionID,
        _ connection: Connection,
        _ reader: inout WireReader,
        _ now: Instant
    ) throws(WireError) {
        let hello: Hello
        do {
            hello = try Hello(from: &reader)
            try self.check(hello, connection)
        } catch {
            return self.refuse(id, error, now)
        }
        for (other, known) in self.connections.sorted(by: { $0.key < $1.key })
        where known.hello?.role == .service && known.hello?.instance == hello.instance {
            self.disconnected(other, now: now)
            self.closing.append(other)
        }
        connection.admit(hello, self.layout)
        connection.isCut = self.isCutOff(hello.name)
        if hello.role == .observer { self.follow(id, from: self.log.durable) }
        self.welcome(id, hello)
        if self.rules.wantsSeals, hello.role == .service || hello.role == .publisher {
            self.tellSeals(id, true)
        }
        if hello.role == .admin {
            self.send(to: id) { $0.frame(.notice) { $0.text(self.roomNotice.text) } }
        }
        guard let service = connection.service else { return }
        if let milliseconds = self.handicaps[service] {
            self.send(to: id) { $0.frame(.handicap) { $0.varint(UInt64(milliseconds)) } }
        }
        self.notice(["notice": "connected", "instance": .string(hello.instance)])
        self.rebalance(service, now)
    }

    private func welcome(_ id: ConnectionID, _ hello: Hello) {
        let service = self.layout.serviceIndex(hello.name)
        let welcome = Welcome(
            topics: (0..<self.layout.topicCount).map {
                MeshLayout.Topic(
                    name: self.layout.topicName($0),
                    partitions: self.layout.partitionCount($0),
                    sync: self.layout.isVolatile($0) ? .never : .always
                )
            },
            partitions: service.map { self.layout.services[$0].partitions } ?? 0,
            settings: service.map { self.layout.services[$0].settings.text } ?? "{}",
            window: self.layout.limits.window,
            publishedUpTo: self.publishers[hello.name]?.storedUpTo ?? 0,
            refused: self.publishers[hello.name]?.refused ?? [],
            position: self.log.durable
        )
        self.send(to: id) { welcome.encode(into: &$0) }
    }

    /// Whether the topology, the launcher and the kernel agree on who this is.
    private func check(_ hello: Hello, _ connection: Connection) throws(Refusal) {
        guard connection.peer.uid == self.configuration.uid else {
            throw Refusal(
                .notAllowed,
                "user \(connection.peer.uid) is not the user that runs this topology"
            )
        }
        let key = "\(hello.name)/\(hello.instance)"
        guard let token = self.configuration.tokens[key], token == hello.token else {
            throw Refusal(
                .notAllowed,
                "\(key) has no valid launch token; only what `squall up` starts may connect"
            )
        }
        switch hello.role {
        case .observer, .admin:
            // A service or a party that may speak for itself may not command.
            guard self.layout.serviceIndex(hello.name) == nil,
                !self.layout.publishers.contains(where: { $0.name == hello.name })
            else { throw Refusal(.notAllowed, "'\(hello.name)' is no tool of the launcher") }
        case .publisher:
            guard self.layout.publishers.contains(where: { $0.name == hello.name }) else {
                throw Refusal(.notAllowed, "the topology names no publisher '\(hello.name)'")
            }
        case .service:
            guard let index = self.layout.serviceIndex(hello.name) else {
                throw Refusal(.notAllowed, "the topology names no service '\(hello.name)'")
            }
            let declared = self.layout.services[index].consumes
            let strange = hello.consumes.filter { !declared.contains($0) }
            guard strange.isEmpty else {
                throw Refusal(
                    .undeclared,
                    "\(hello.name) handles events of \(strange.joined(separator: ", ")), which "
                        + "its 'consumes' in the topology file does not list"
                )
            }
        }
    }

    /// The other end is gone.
    package func disconnected(_ id: ConnectionID, now: Instant) {
        guard let connection = self.connections.removeValue(forKey: id) else { return }
        self.hasNoOutput(id)
        self.observers.removeAll { $0.id == id }
        guard let service = connection.service else { return }
        for partition in self.services[service].indices
        where self.services[service][partition].owner == id {
            self.services[service][partition].owner = nil
            self.services[service][partition].phase = .unowned
        }
        self.notice(["notice": "disconnected", "instance": .string(connection.name)])
        self.rebalance(service, now)
    }

    /// Says no, writes it down, and closes the connection.
    func refuse(_ id: ConnectionID, _ refusal: Refusal, _ now: Instant) {
        guard let connection = self.connections[id] else { return }
        self.audit(refusal, of: connection, now)
        self.send(to: id) {
            $0.frame(.refused) {
                $0.u8(refusal.code.rawValue)
                $0.text(refusal.message)
            }
        }
        self.closing.append(id)
    }

    /// The shell refused a connection before any frame of it was whole.
    package func refusedByShell(_ id: ConnectionID, _ message: String, now: Instant) {
        guard let connection = self.connections[id] else { return }
        self.audit(Refusal(.malformed, message), of: connection, now)
    }

    func audit(_ refusal: Refusal, of connection: Connection, _ now: Instant) {
        self.auditLines.append([
            "time": .int(now.nanoseconds),
            "refused": .string("\(refusal.code)"),
            "who": .string(connection.name),
            "pid": .int(Int64(connection.peer.pid)),
            "uid": .int(Int64(connection.peer.uid)),
            "message": .string(refusal.message),
        ])
    }

    /// Tells every admin what has happened.
    func notice(_ notice: JSONValue) {
        for id in self.connections.keys.sorted() where self.connections[id]?.hello?.role == .admin {
            self.send(to: id) { $0.frame(.notice) { $0.text(notice.text) } }
        }
    }
}
