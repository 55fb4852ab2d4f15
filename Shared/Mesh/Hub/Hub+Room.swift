/// What the hub does while the disk is full: it refuses new events, lets turns that are under way
/// come to their end as far as the log's reserve goes, holds back the rest, and goes on by itself.
extension Hub {
    /// How often a full disk is tried again.
    static let roomInterval = Duration.milliseconds(250)
    /// With less room than this nothing is begun any more: neither deliveries nor timers.
    static let roomForTurns = 256 * 1024
    /// What commits leave for the records that cannot wait: who owns what, and the log's end.
    static let roomForOwners = 64 * 1024
    /// What a record needs beyond the bytes that it was asked to hold, at most.
    private static let overhead = 512

    /// Whether there is room to begin something: a delivery, a timer, a dead letter.
    var hasRoomForTurns: Bool { self.log.room >= Self.roomForTurns }

    /// Whether a new event may be taken.
    func hasRoom(toPublish bytes: Int) -> Bool {
        let needed = bytes + Self.overhead + Self.roomForTurns
        if self.log.isFull { return false }
        if self.log.room >= needed { return true }
        // A burst came since the last commit. What fails here otherwise fails there again.
        try? self.log.makeRoom(for: needed)
        return self.log.room >= needed
    }

    /// Whether a turn of about that many bytes can be written.
    func hasRoom(toCommit bytes: Int) -> Bool {
        let needed = bytes + Self.overhead + Self.roomForOwners
        if self.log.room >= needed { return true }
        try? self.log.makeRoom(for: needed)
        return self.log.room >= needed
    }

    /// Why no new event is taken.
    static let fullRefusal = Refusal(
        .full,
        "the disk of the run folder is full; nothing new is taken until there is room: delete "
            + "something there"
    )

    /// Keeps a commit that there is no room for, and everything behind it, until there is.
    func waitForRoom(_ connection: Connection, _ frame: UnsafeRawBufferPointer) {
        connection.waitsForRoom = true
        self.mayWaitForRoom = true
        connection.hold([UInt8](frame))
    }

    /// Looks for room again: all that waited for it is tried once more.
    func roomCheckCameDue(_ now: Instant) {
        self.isRoomCheckArmed = false
        try? self.log.makeRoom()
        self.mayWaitForRoom = false
        for id in self.connections.keys.sorted() {
            guard let connection = self.connections[id], connection.waitsForRoom else { continue }
            connection.waitsForRoom = false
            if !connection.isCut { self.replayHeld(of: connection, id, now) }
        }
    }

    /// Handles the frames that were held back on a connection, until one has to wait again.
    func replayHeld(of connection: Connection, _ id: ConnectionID, _ now: Instant) {
        let frames = connection.takeHeldFrames()
        for frame in frames { frame.withUnsafeBytes { self.received(id, frame: $0, now: now) } }
    }

    /// Tells the admins when the disk became full or has room again, and looks again later.
    func watchRoom(_ now: Instant) {
        if self.log.isFull != self.toldFull {
            self.toldFull = self.log.isFull
            self.notice(self.roomNotice)
        }
        let isWaiting =
            self.mayWaitForRoom && self.connections.values.contains(where: \.waitsForRoom)
        guard self.log.isFull || isWaiting, !self.isRoomCheckArmed else { return }
        self.isRoomCheckArmed = true
        self.deadlines.add(.roomCheck, due: now + Self.roomInterval)
    }

    /// What an admin is told of the disk, also when it connects.
    var roomNotice: JSONValue {
        guard let reason = self.log.fullBecause else { return ["notice": "disk-has-room"] }
        return ["notice": "disk-full", "reason": .string(reason)]
    }
}
