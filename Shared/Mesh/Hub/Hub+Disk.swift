extension Hub {
    /// Lets the disk fail as a scenario says: the request names all that is wrong with it.
    func harmDisk(_ request: JSONValue) -> JSONValue {
        guard let faults = self.diskFaults else {
            return Self.soundDisk
        }
        faults.syncDelay = .nanoseconds(max(0, request["syncDelay"]?.int ?? 0))
        faults.failsNextSync = request["failsNextSync"]?.bool ?? false
        faults.tearsNextWrite = request["tearsNextWrite"]?.bool ?? false
        let wasFull = faults.isFull
        faults.isFull = request["isFull"]?.bool ?? false
        if faults.isFull, !wasFull { self.log.runShort() }
        return ["disk": self.diskReport]
    }

    private static let soundDisk: JSONValue = [
        "error": "this hub was started with a disk that cannot fail on purpose"
    ]

    /// Lets each sync take longer; answers how many did since this was said last.
    func slowDisk(by delay: Duration) -> JSONValue {
        guard let faults = self.diskFaults else {
            return Self.soundDisk
        }
        let bitten = self.slowSyncCount
        self.delayedBefore = faults.delayedCount
        faults.syncDelay = delay
        return ["slow": "hub", "bitten": .int(Int64(bitten))]
    }

    /// How many syncs have taken longer since the disk was slowed down.
    var slowSyncCount: Int { (self.diskFaults?.delayedCount ?? 0) - self.delayedBefore }

    /// How often the disk failed on purpose.
    var diskReport: JSONValue {
        guard let faults = self.diskFaults else { return .null }
        return [
            "delayed": .int(Int64(faults.delayedCount)),
            "refused": .int(Int64(faults.refusedCount)),
        ]
    }
}
