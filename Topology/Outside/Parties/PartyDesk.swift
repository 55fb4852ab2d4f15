import Mesh
import ServiceKit

/// What the owner of a ``PartyDesk`` must do with one of its callers.
package enum PartyOutput: Sendable, Hashable {
    /// Send these bytes, whose length prefixes are in them.
    case send(caller: Int, framed: [UInt8])
    /// Close the connection.
    case hangUp(caller: Int, reason: String)
}

/// An answer that may not leave yet.
private struct HeldAnswer {
    var due: Instant
    var caller: Int
    var framed: [UInt8]
}

/// An outside party at work: frames in, frames out, a durable ledger in between, and its faults.
///
/// Answers wait until ``flush(now:)`` has made the ledger durable, so requests that arrive
/// together share one sync. Callers are numbers that the owner chooses.
package final class PartyDesk<Machine: PartyMachine> {
    private let disk: any Disk
    private var machine: Machine
    private var faults = PartyFaults()
    /// What the ledger does not have yet.
    private var unwritten: [UInt8] = []
    /// Answers to what is not durable yet.
    private var held: [HeldAnswer] = []
    /// Answers that a fault delays, by due time.
    private var delayed: [HeldAnswer] = []
    private var requests = 0
    /// The room for the ledger that a full disk cannot take away.
    private var room: LedgerRoom
    /// What a crash had cut short in the ledger, in bytes.
    package let tornBytes: Int
    private let flaws: Flaws
    /// How long each request keeps it busy.
    private let work: Duration
    /// When it is done with all that it was asked.
    private var busyUntil = Instant.zero

    /// Opens a party: reads its ledger, and cuts off what a crash cut short.
    ///
    /// It serves `capacity` requests a second, one after the other, as many as come where that is
    /// 0. Whoever asked and no longer waits is served all the same: that is what keeps a party down
    /// whose callers ask again too soon.
    ///
    /// - Throws: ``LedgerError`` naming the line that is damaged.
    package init(
        machine: Machine,
        disk: any Disk,
        capacity: Int = 0,
        flaws: Flaws = Flaws()
    ) throws(LedgerError) {
        self.disk = disk
        self.flaws = flaws
        self.work = capacity > 0 ? .seconds(1) / capacity : .zero
        self.machine = machine
        let file = Machine.ledgerFile
        let bytes = try LedgerFile.bytes(of: file, on: disk)
        let contents = try LedgerFile.read(bytes, of: Machine.Entry.self, from: file)
        if !flaws.has(.partyForgetsKeys) {
            for entry in contents.entries { self.machine.recovered(entry) }
        }
        self.tornBytes = contents.tornBytes
        self.room = LedgerRoom(disk: disk, file: file, length: contents.length)
        guard contents.tornBytes > 0 else { return }
        do {
            try disk.truncate(file, to: contents.length)
        } catch {
            throw LedgerError(file: file, line: 0, message: "can't be cut: \(error.message)")
        }
    }

    /// Whether ``flush(now:)`` has something to do.
    package var needsFlush: Bool { !self.unwritten.isEmpty || !self.held.isEmpty }

    /// When ``timePassed(now:)`` has something to do.
    package var nextDeadline: Instant? { self.delayed.first?.due }

    // MARK: Inputs

    /// Takes a frame of a caller, its length prefix left out.
    package func received(
        _ frame: UnsafeRawBufferPointer,
        from caller: Int,
        now: Instant
    ) -> [PartyOutput] {
        do throws(WireError) {
            let frame = try OutsideFrame.parse(frame)
            switch frame.kind {
            case .request: return try self.requested(frame, caller, now)
            case .adminRequest: return [self.commanded(frame, caller, now)]
            case .answer, .adminAnswer:
                throw WireError("a caller sends requests, not answers")
            }
        } catch {
            return self.hangUp(caller, "not understood: \(error.message)")
        }
    }

    /// Forgets the answers of a caller that is gone; what it asked for is done all the same.
    package func closed(_ caller: Int) {
        self.held.removeAll { $0.caller == caller }
        self.delayed.removeAll { $0.caller == caller }
    }

    /// Makes everything durable that was asked for, and returns the answers that may leave now.
    ///
    /// - Throws: `DiskError`; the party must then stop, for it can't tell what the ledger has.
    package func flush(now: Instant) throws(DiskError) -> [PartyOutput] {
        if !self.unwritten.isEmpty {
            try self.disk.append(self.unwritten, to: Machine.ledgerFile)
            if !self.flaws.has(.partyUnsynced) { try self.disk.sync(Machine.ledgerFile) }
            self.room.length += self.unwritten.count
            self.unwritten.removeAll(keepingCapacity: true)
        }
        var outputs: [PartyOutput] = []
        for answer in self.held {
            if answer.due <= now {
                outputs.append(.send(caller: answer.caller, framed: answer.framed))
            } else {
                let place = self.delayed.firstIndex { $0.due > answer.due }
                self.delayed.insert(answer, at: place ?? self.delayed.endIndex)
            }
        }
        self.held.removeAll(keepingCapacity: true)
        return outputs
    }

    /// Returns the delayed answers that are due.
    package func timePassed(now: Instant) -> [PartyOutput] {
        guard let first = self.delayed.first, first.due <= now else { return [] }
        let count = self.delayed.prefix { $0.due <= now }.count
        let due = self.delayed.prefix(count).map {
            PartyOutput.send(caller: $0.caller, framed: $0.framed)
        }
        self.delayed.removeFirst(count)
        return due
    }

    /// Gives back the room that was kept for the ledger; call it after the last flush.
    package func close() throws(DiskError) { try self.room.giveBack() }

    /// Arms a fault, as the topology file or a scenario asks.
    package func arm(_ fault: PartyFaults.Armed) {
        self.faults.arm(fault)
    }

    /// Ends the fault of that name.
    package func disarm(_ fault: String) { self.faults.disarm(fault) }

    /// The armed faults, each with how often it bit.
    package var armed: [PartyFaults.Armed] { self.faults.armed }

    /// Ends all faults and returns them with how often they bit.
    package func heal() -> [PartyFaults.Armed] {
        self.faults.heal()
    }

    // MARK: Requests

    private func requested(
        _ frame: OutsideFrame,
        _ caller: Int,
        _ now: Instant
    ) throws(WireError) -> [PartyOutput] {
        let effect = self.faults.requestArrived(now: now)
        if effect.hangsUp { return self.hangUp(caller, "the fault 'down' is armed") }
        // Nothing is done that cannot be written down; callers ask again.
        guard self.room.has(self.unwritten.count + 8 * frame.body.count + 1024, now: now) else {
            return self.hangUp(caller, "the disk is full: \(Machine.ledgerFile) cannot grow")
        }
        let result = try self.machine.answer(frame.body, now: now)
        self.requests += 1
        for entry in result.entries { self.unwritten += Machine.line(of: entry) }
        self.busyUntil = max(self.busyUntil, now) + self.work
        guard !effect.withholds else { return [] }
        let framed = OutsideFrame.answer(id: frame.id, body: result.answer)
        for _ in 0..<effect.copies {
            let due = self.busyUntil + effect.delay
            self.held.append(HeldAnswer(due: due, caller: caller, framed: framed))
        }
        return []
    }

    private func hangUp(_ caller: Int, _ reason: String) -> [PartyOutput] {
        self.closed(caller)
        return [.hangUp(caller: caller, reason: reason)]
    }

    // MARK: Commands

    private func commanded(
        _ frame: OutsideFrame,
        _ caller: Int,
        _ now: Instant
    ) -> PartyOutput {
        let answer: JSONValue
        do {
            answer = try self.command(try JSONValue(parsingUTF8: frame.body), now)
        } catch let error as JSONError {
            answer = ["error": .string("the command is not JSON: \(error)")]
        } catch let error as WireError {
            answer = ["error": .string(error.message)]
        } catch {
            preconditionFailure("a command threw \(error)")
        }
        let body = [UInt8](answer.text.utf8)
        let framed = OutsideFrame(kind: .adminAnswer, id: frame.id, body: body).framed
        return .send(caller: caller, framed: framed)
    }

    /// `fault` arms one more, `faults` arms exactly these, in one step.
    private func command(
        _ command: JSONValue,
        _ now: Instant
    ) throws(WireError) -> JSONValue {
        switch command["do"]?.string {
        case "status": return self.status(now)
        case "fault":
            let armed = try PartyFaults.Armed(command, now: now)
            self.arm(armed)
            return ["armed": .string(armed.fault.description)]

        case "faults":
            var armed: [PartyFaults.Armed] = []
            for fault in command["faults"]?.array ?? [] {
                armed.append(try PartyFaults.Armed(fault, now: now))
            }
            let healed = self.heal()
            for fault in armed { self.arm(fault) }
            return ["healed": .array(healed.map { $0.report(now) })]

        case "heal":
            return ["healed": .array(self.heal().map { $0.report(now) })]

        case let other:
            throw WireError(
                "there is no command '\(other ?? "")'; there are status, fault, faults and heal"
            )
        }
    }

    private func status(_ now: Instant) -> JSONValue {
        [
            "requests": .int(Int64(self.requests)),
            "delayed": .int(Int64(self.delayed.count)),
            "ledger": self.machine.summary,
            "isFull": .bool(self.room.isFull),
            "faults": .array(self.faults.armed.map { $0.report(now) }),
        ]
    }
}

extension PartyFaults.Armed {
    /// Creates a fault of its JSON form: `kind`, `by` for a slow party, `every`, `for`.
    ///
    /// The same form as in the topology file, with durations such as `"200ms"`.
    ///
    /// - Throws: `WireError` that says what there is.
    package init(_ json: JSONValue, now: Instant) throws(WireError) {
        let delay = try Self.duration("by", of: json)
        guard let fault = PartyFault(name: json["kind"]?.string ?? "", delay: delay) else {
            let names = PartyFault.names.joined(separator: ", ")
            throw WireError(
                "'kind' must be one of \(names); 'by' belongs to slow, and to slow alone"
            )
        }
        let every = json["every"] ?? 1
        guard let number = every.int, number > 0 else {
            throw WireError("'every' must be a whole number of at least 1, not \(every.text)")
        }
        let length = try Self.duration("for", of: json)
        let until = length.map { now + $0 } ?? .distantFuture
        self.init(fault, every: Int(number), until: until)
    }

    private static func duration(
        _ name: String,
        of json: JSONValue
    ) throws(WireError) -> Duration? {
        guard let found = json[name] else { return nil }
        guard let duration = found.string.flatMap({ Duration(text: $0) }) else {
            throw WireError("'\(name)' must be a duration such as \"200ms\", not \(found.text)")
        }
        return duration
    }

    /// The fault for people to read.
    package func report(_ now: Instant) -> JSONValue {
        [
            "rule": .string(self.fault.description),
            "bitten": .int(Int64(self.bitten)),
            "over": .bool(now >= self.until),
        ]
    }
}
