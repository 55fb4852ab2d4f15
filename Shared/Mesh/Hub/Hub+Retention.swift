extension Hub {
    /// Removes the oldest segments that are past retention and that nobody needs.
    ///
    /// Needed is everything from the first event that some service has not handled, from the last
    /// snapshot of each partition of a service and the changes after it, and from the first dead
    /// letter that was not redriven.
    func enforceRetention(_ now: Instant) throws(LogError) {
        guard let retention = self.layout.retention else { return }
        let needed = try self.firstNeededPosition()
        let removed = try self.log.removeSegments { segment in
            guard segment.end <= needed else { return false }
            if let bytes = retention.bytes, segment.bytesFromHere > bytes { return true }
            if let age = retention.age, now - segment.lastTime > age { return true }
            return false
        }
        guard let removed else { return }
        for topic in self.topics.indices {
            for partition in self.topics[topic].indices {
                self.topics[topic][partition].removed(before: removed)
            }
        }
    }

    private func firstNeededPosition() throws(LogError) -> UInt64 {
        var needed = self.log.durable
        for service in self.services.indices {
            for (partition, state) in self.services[service].enumerated() {
                if let record = state.snapshotRecord { needed = min(needed, record) }
                if let record = state.journalRecords.first { needed = min(needed, record) }
                for cursor in state.cursors {
                    let topic = self.topics[cursor.topic][partition]
                    guard cursor.floor < topic.end,
                        let start = topic.scanStart(for: cursor.floor)
                    else { continue }
                    needed = min(needed, start)
                }
            }
            let open = self.deadLetters[service].first { !$0.isRedriven }
            if let open { needed = min(needed, open.record) }
        }
        return needed
    }
}
