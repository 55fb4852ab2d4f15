/// The hops other than deliveries: what clients send, and how the hub confirms it.
///
/// Nothing here runs for a client that no rule is about, and of which nothing is held back.
extension Hub {
    /// Whether a rule may say something of what a client sends, or of the answers to it.
    func isConcerned(_ connection: Connection) -> Bool {
        guard !self.rules.senders.isEmpty, let name = connection.hello?.name else { return false }
        return self.rules.senders.contains(name)
    }

    /// How long a commit that comes before its turn waits for those before it.
    static let earlyCommitPatience = Duration.milliseconds(100)
    private static let earlyCommitsMax = 256

    // MARK: From clients

    /// Asks the rules about a frame that arrived, and takes it, keeps it back or loses it.
    func passFaults(
        _ id: ConnectionID,
        _ connection: Connection,
        _ frame: UnsafeRawBufferPointer,
        _ now: Instant
    ) {
        if let single = Self.singleEvents(of: frame) {
            for frame in single {
                frame.withUnsafeBytes { self.passFaults(id, connection, $0, now) }
            }
            return
        }
        let isSealed = frame.first == Frame.ToHub.sealed.rawValue
        let body = isSealed ? Seal.opened(frame) : frame
        let passages = body.map { self.passages(of: $0, connection) } ?? []
        switch self.judgeFrame(passages, now, isSealed: isSealed) {
        case .deliver:
            self.takeInOrder(id, connection, frame, passages, now)
        case .deliverTwice:
            self.takeInOrder(id, connection, frame, passages, now)
            self.takeInOrder(id, connection, frame, passages, now)
        case .lose: break
        case .corrupt:
            var damaged = [UInt8](frame)
            Seal.flip(&damaged, from: 0, draw: self.nextDraw())
            damaged.withUnsafeBytes { self.takeInOrder(id, connection, $0, [], now) }
        case .swap(let rule):
            guard connection.inbound.aside == nil else {
                return self.takeInOrder(id, connection, frame, passages, now)
            }
            let due = now + Self.overtakingTime
            connection.inbound.putAside(.init(bytes: [UInt8](frame), due: due, rule: rule))
            self.wake(connection, id, at: due)
        case .wait(let until, let rule):
            connection.inbound.append(.init(bytes: [UInt8](frame), due: until, rule: rule))
            self.wake(connection, id, at: until)
        case .hold(let rule):
            connection.inbound.append(.init(bytes: [UInt8](frame), due: nil, rule: rule))
        }
    }

    /// Returns a frame for each event of a frame that publishes several, as faults hit each for
    /// itself; nil where it publishes none or one.
    static func singleEvents(of frame: UnsafeRawBufferPointer) -> [[UInt8]]? {
        var reader = WireReader(frame)
        let kind = (try? reader.u8()).flatMap(Frame.ToHub.init(rawValue:))
        guard kind == .publish || kind == .volatile else { return nil }
        var frames: [[UInt8]] = []
        var before = kind == .publish ? try? reader.varint() : nil
        while !reader.isAtEnd {
            var writer = WireWriter()
            writer.u8(kind?.rawValue ?? 0)
            if let known = before {
                guard let sequence = try? reader.varint() else { return nil }
                writer.varint(known)
                writer.varint(sequence)
                before = sequence
            }
            guard let topic = try? reader.varint(), let envelope = try? reader.view() else {
                return nil
            }
            writer.varint(topic)
            writer.counted(envelope)
            frames.append(writer.bytes)
        }
        return frames.count > 1 ? frames : nil
    }

    private func judgeFrame(
        _ passages: [Passage],
        _ now: Instant,
        isSealed: Bool
    ) -> RuleChain.Verdict {
        guard !passages.isEmpty else { return .deliver }
        return self.rules.judge(passages, self.nextDraw(), now, isSealed: isSealed)
    }

    private func nextDraw() -> UInt64 {
        self.attemptCounter += 1
        return StableHash.combine(self.log.end, self.attemptCounter)
    }

    private func takeInOrder(
        _ id: ConnectionID,
        _ connection: Connection,
        _ frame: UnsafeRawBufferPointer,
        _ passages: [Passage],
        _ now: Instant
    ) {
        guard connection.inbound.isQueueEmpty else {
            return connection.inbound.append(.init(bytes: [UInt8](frame), due: now, rule: nil))
        }
        self.take(frame, passages, id, connection, now)
        if let overtaken = connection.inbound.takeAside() {
            self.takeKnowingLinks(id, connection, overtaken, now)
        }
    }

    private func takeKnowingLinks(
        _ id: ConnectionID,
        _ connection: Connection,
        _ bytes: [UInt8],
        _ now: Instant
    ) {
        bytes.withUnsafeBytes { frame in
            let isSealed = frame.first == Frame.ToHub.sealed.rawValue
            let body = isSealed ? Seal.opened(frame) : frame
            let passages = body.map { self.passages(of: $0, connection) } ?? []
            self.take(frame, passages, id, connection, now)
        }
    }

    /// Takes a frame that stands for those links.
    private func take(
        _ frame: UnsafeRawBufferPointer,
        _ passages: [Passage],
        _ id: ConnectionID,
        _ connection: Connection,
        _ now: Instant
    ) {
        self.passages = passages
        self.take(frame, id, connection, now)
        self.passages = []
    }

    /// A wait is over, or a rule healed: what may pass does.
    func framesCameDue(_ id: ConnectionID, _ now: Instant) {
        guard let connection = self.connections[id] else { return }
        if let due = connection.framesDue, due <= now { connection.framesDue = nil }
        guard !connection.isCut else { return }
        let isArmed = { [rules = self.rules] in rules.isArmed($0) }
        while let bytes = connection.inbound.next(now, isArmed: isArmed) {
            self.takeKnowingLinks(id, connection, bytes, now)
            guard self.connections[id] === connection else { return }
        }
        while let bytes = connection.outbound.next(now, isArmed: isArmed) {
            self.sendWhole(bytes, to: id)
        }
        for due in [connection.inbound.nextDue, connection.outbound.nextDue] {
            if let due, due > now { self.wake(connection, id, at: due) }
        }
    }

    /// Looks at what is held back for a connection again at `due`, unless that happens before.
    ///
    /// One look asks for the next: without this bound, two directions would multiply their looks.
    private func wake(_ connection: Connection, _ id: ConnectionID, at due: Instant) {
        guard connection.framesDue.map({ due < $0 }) ?? true else { return }
        connection.framesDue = due
        self.deadlines.add(.frames(id), due: due)
    }

    // MARK: Answers

    /// Confirms or refuses what is under way.
    func answer(_ id: ConnectionID, _ write: (inout WireWriter) -> Void) {
        guard let connection = self.connections[id] else { return }
        guard !self.passages.isEmpty || !connection.outbound.isEmpty else {
            return self.send(to: id, write)
        }
        var writer = WireWriter()
        write(&writer)
        let answers = self.passages.compactMap { passage -> Passage? in
            guard let hop = passage.hop.answer else { return nil }
            var answer = passage
            answer.hop = hop
            return answer
        }
        // An answer is judged when it is given, which is when everything else that is said then is.
        let now = self.timeOfInput
        switch self.judgeFrame(answers, now, isSealed: true) {
        case .deliver:
            self.sendInOrder(writer.bytes, to: id, connection)
        case .deliverTwice:
            self.sendInOrder(writer.bytes, to: id, connection)
            self.sendInOrder(writer.bytes, to: id, connection)
        case .lose: break
        case .corrupt:
            self.damage(&writer.bytes, from: 0, as: .sealed)
            self.sendInOrder(writer.bytes, to: id, connection)
        case .swap(let rule):
            guard connection.outbound.aside == nil else {
                return self.sendInOrder(writer.bytes, to: id, connection)
            }
            let due = now + Self.overtakingTime
            connection.outbound.putAside(.init(bytes: writer.bytes, due: due, rule: rule))
            self.wake(connection, id, at: due)
        case .wait(let until, let rule):
            connection.outbound.append(.init(bytes: writer.bytes, due: until, rule: rule))
            self.wake(connection, id, at: until)
        case .hold(let rule):
            connection.outbound.append(.init(bytes: writer.bytes, due: nil, rule: rule))
        }
    }

    private func sendInOrder(_ frame: [UInt8], to id: ConnectionID, _ connection: Connection) {
        guard connection.outbound.isQueueEmpty else {
            return connection.outbound.append(.init(bytes: frame, due: .zero, rule: nil))
        }
        self.sendWhole(frame, to: id)
        if let overtaken = connection.outbound.takeAside() { self.sendWhole(overtaken, to: id) }
    }

    private func sendWhole(_ frame: [UInt8], to id: ConnectionID) {
        self.send(to: id) { $0.bytes += frame }
    }

    /// Seals the frame that begins at `start` and flips a bit of it.
    func damage(_ bytes: inout [UInt8], from start: Int, as kind: Frame.FromHub) {
        var sealed = Seal.sealed(frames: Array(bytes[start...]), as: kind.rawValue)
        Seal.flip(&sealed, from: 4, draw: self.nextDraw())
        bytes.removeSubrange(start...)
        bytes += sealed
    }

    // MARK: Links of a frame

    /// The links that a frame stands for: that of each event in it, and of each it acknowledges.
    private func passages(
        of body: UnsafeRawBufferPointer,
        _ connection: Connection
    ) -> [Passage] {
        guard self.isConcerned(connection), let hello = connection.hello else { return [] }
        var reader = WireReader(body)
        guard let code = try? reader.u8() else { return [] }
        switch (Frame.ToHub(rawValue: code), connection.service) {
        case (.publish, nil):
            guard (try? reader.varint()) != nil, (try? reader.varint()) != nil,
                let topic = try? reader.count(), let envelope = try? reader.view()
            else { return [] }
            return self.passages { self.add(emitting: envelope, to: topic, hello.name, to: &$0) }
        case (.volatile, nil):
            guard let topic = try? reader.count(), let envelope = try? reader.view() else {
                return []
            }
            return self.passages { self.add(emitting: envelope, to: topic, hello.name, to: &$0) }
        case (.commit, let service?):
            guard let commit = try? CommitView(from: &reader),
                commit.partition < self.services[service].count
            else { return [] }
            return self.passages { passages in
                for run in commit.acknowledged {
                    self.add(acknowledging: run, commit.partition, service, to: &passages)
                }
                for emission in commit.emitted {
                    let (topic, envelope) = emission
                    self.add(emitting: envelope, to: topic, hello.name, to: &passages)
                }
            }
        default: return []
        }
    }

    private func passages(_ add: (inout [Passage]) -> Void) -> [Passage] {
        var passages: [Passage] = []
        add(&passages)
        return passages
    }

    private func add(
        emitting envelope: UnsafeRawBufferPointer,
        to topic: Int,
        _ producer: String,
        to passages: inout [Passage]
    ) {
        guard topic < self.layout.topics.count, !self.consumers[topic].isEmpty,
            let view = try? EnvelopeView(envelope)
        else { return }
        let type = self.rules.readsTypes ? view.typeText : ""
        let subject = self.rules.readsSubjects ? view.subjectText : ""
        for consumer in self.consumers[topic] {
            passages.append(
                Passage(
                    from: producer,
                    to: self.layout.services[consumer.service].name,
                    party: producer,
                    hop: .publish,
                    type: type,
                    subject: subject
                )
            )
        }
    }

    private func add(
        acknowledging run: AcknowledgedRun,
        _ partition: Int,
        _ service: Int,
        to passages: inout [Passage]
    ) {
        guard run.topic < self.topics.count, partition < self.topics[run.topic].count,
            run.offsets.upperBound <= self.topics[run.topic][partition].end
        else { return }
        for offset in run.offsets {
            self.add(acknowledging: offset, of: run.topic, partition, service, to: &passages)
        }
    }

    private func add(
        acknowledging offset: UInt64,
        of topic: Int,
        _ partition: Int,
        _ service: Int,
        to passages: inout [Passage]
    ) {
        let name = self.layout.services[service].name
        let isFound = try? self.withRecentEvent(topic, partition, offset) { bytes in
            guard let view = try? EnvelopeView(bytes) else { return false }
            passages.append(
                Passage(
                    from: view.sourceText,
                    to: name,
                    party: name,
                    hop: .commit,
                    type: self.rules.readsTypes ? view.typeText : "",
                    subject: self.rules.readsSubjects ? view.subjectText : ""
                )
            )
            return true
        }
        // An old event: whoever emits to its topic may have sent it.
        guard isFound != true, topic < self.layout.topics.count else { return }
        let topicName = self.layout.topics[topic].name
        let producers =
            self.layout.services.filter { $0.emits.contains(topicName) }.map(\.name)
            + self.layout.publishers.filter { $0.emits.contains(topicName) }.map(\.name)
        passages += producers.map {
            Passage(from: $0, to: name, party: name, hop: .commit, type: "", subject: "")
        }
    }

    // MARK: Commits before their turn

    /// Keeps a commit that overtook another for a moment; returns whether it was kept.
    ///
    /// Only faults let frames overtake each other: without any, a gap is refused at once.
    func comesEarly(
        _ commit: CommitView,
        _ service: Int,
        _ id: ConnectionID,
        _ frame: UnsafeRawBufferPointer,
        _ now: Instant
    ) -> Bool {
        guard !self.rules.senders.isEmpty, commit.partition < self.services[service].count
        else { return false }
        let state = self.services[service][commit.partition]
        guard state.owner == id, state.epoch == commit.epoch,
            commit.sequence > state.sequence + 1,
            state.earlyCommits.count < Self.earlyCommitsMax
        else { return false }
        let isFirst = state.earlyCommits.isEmpty
        self.services[service][commit.partition].earlyCommits[commit.sequence] = [UInt8](frame)
        if isFirst {
            self.deadlines.add(
                .earlyCommits(service: service, partition: commit.partition, epoch: commit.epoch),
                due: now + Self.earlyCommitPatience
            )
        }
        return true
    }

    /// Takes the commits that waited for the one just taken.
    func takeEarlyCommits(_ service: Int, _ partition: Int, _ now: Instant) {
        guard partition < self.services[service].count,
            !self.services[service][partition].earlyCommits.isEmpty
        else { return }
        let next = self.services[service][partition].sequence + 1
        guard let owner = self.services[service][partition].owner,
            let connection = self.connections[owner],
            let frame = self.services[service][partition].earlyCommits.removeValue(forKey: next)
        else { return }
        frame.withUnsafeBytes { self.take($0, owner, connection, now) }
    }

    /// The commit that others wait for did not come: they are refused, and the partition is handed
    /// out anew.
    func earlyCommitsExpired(
        _ service: Int,
        _ partition: Int,
        _ epoch: UInt64,
        _ now: Instant
    ) {
        let state = self.services[service][partition]
        guard state.epoch == epoch, let first = state.earlyCommits.keys.min(),
            let owner = state.owner
        else { return }
        var commit = CommitView()
        commit.partition = partition
        commit.epoch = epoch
        commit.sequence = first
        let refusal = Refusal(
            .sequenceGap,
            "commit \(first) follows commit \(state.sequence)"
        )
        self.services[service][partition].earlyCommits = [:]
        self.refuseCommit(owner, service, commit, refusal, now)
    }
}
