/// Deliveries that wait: because a fault holds them back, or because they failed before.
extension Hub {
    /// Lets a new owner wait as long for the next attempt as the one before would have: else owners
    /// that die one after the other use up all attempts at once.
    func putOff(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        until due: Instant
    ) throws(LogError) {
        let subject = try self.withEvent(service, partition, cursor, offset) { bytes in
            (try? EnvelopeView(bytes))?.subjectText ?? ""
        }
        // No rule was asked about it yet.
        let parked = Cursor.Parked(
            subject: subject,
            isBehind: false,
            until: due,
            isJudgedAnew: true
        )
        self.park(service, partition, cursor, offset, parked)
    }

    func park(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        _ parked: Cursor.Parked
    ) {
        // Counted twice, its subject would wait for ever.
        guard self.services[service][partition].cursors[cursor].parked[offset] == nil
        else { return }
        self.services[service][partition].cursors[cursor].parked[offset] = parked
        if !parked.isBehind {
            self.services[service][partition].parkedSubjects[parked.subject, default: 0] += 1
        }
        // What is held back counts as delivered, so that a cut costs bounded memory.
        self.services[service][partition].credit -= 1
        guard let due = parked.until else { return }
        self.deadlines.add(
            .unpark(
                service: service,
                partition: partition,
                cursor: cursor,
                offset: offset,
                epoch: self.services[service][partition].epoch
            ),
            due: due
        )
    }

    /// A wait is over: what was only late is delivered without asking the rules again.
    func waitEnded(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        _ epoch: UInt64,
        _ now: Instant
    ) {
        guard self.services[service][partition].epoch == epoch,
            let parked = self.services[service][partition].cursors[cursor].parked[offset],
            let until = parked.until, until <= now
        else { return }
        self.unpark(service, partition, cursor, offset, cleared: !parked.isJudgedAnew)
    }

    /// Something passed: what was to be overtaken follows.
    func letOvertakenGo(_ service: Int, _ partition: Int) {
        let overtaken = self.services[service][partition].overtaken
        self.services[service][partition].overtaken = []
        for item in overtaken {
            self.unpark(service, partition, item.cursor, item.offset, cleared: true)
        }
    }

    private func unpark(
        _ service: Int,
        _ partition: Int,
        _ cursor: Int,
        _ offset: UInt64,
        cleared: Bool
    ) {
        guard let parked = self.services[service][partition].cursors[cursor].parked[offset]
        else { return }
        self.services[service][partition].cursors[cursor].parked[offset] = nil
        self.services[service][partition].credit += 1
        if cleared {
            self.services[service][partition].cursors[cursor].cleared.insert(offset)
        }
        self.services[service][partition].cursors[cursor].becameDue(offset)
        self.mayDeliver(service, partition)
        guard !parked.isBehind else { return }
        let subject = parked.subject
        let others = (self.services[service][partition].parkedSubjects[subject] ?? 1) - 1
        self.services[service][partition].parkedSubjects[subject] = others > 0 ? others : nil
        guard others == 0 else { return }
        for index in self.services[service][partition].cursors.indices {
            let behind = self.services[service][partition].cursors[index].parked
                .filter { $0.value.isBehind && $0.value.subject == subject }
                .keys.sorted()
            for offset in behind {
                self.unpark(service, partition, index, offset, cleared: false)
            }
        }
    }

    /// Lets everything be attempted again that rules held back which are healed.
    func unparkHealed() {
        if self.isFlawed("cut-never-heals") { return }
        for service in self.services.indices {
            for partition in self.services[service].indices {
                for cursor in self.services[service][partition].cursors.indices {
                    let parked = self.services[service][partition].cursors[cursor].parked
                    for offset in parked.keys.sorted() {
                        guard let rule = parked[offset]?.rule, !self.rules.isArmed(rule)
                        else { continue }
                        self.unpark(service, partition, cursor, offset, cleared: false)
                    }
                }
            }
        }
    }
}
