import Chaos
import Mesh
import MeshSocket
import TopologyFile

/// What is known of a drain under way.
struct DrainChecks {
    /// How many orders had ended, and since when it is that many.
    var progress = (ended: -1, at: Instant.zero)
    /// Whether an answer of the hub is awaited.
    var isAsking = false
    /// How far the log was when nothing was under way any more.
    var quietAt: Int64?
    /// What was under way when last asked, in words.
    var rest = "no answer of the hub yet"
}

extension RunningTopology {
    /// How often a drain asks the hub what is left.
    private static let drainInterval = Duration.milliseconds(25)

    /// Places no more orders, heals everything, waits until every order has ended, then judges.
    ///
    /// A second call changes nothing.
    package func drain() {
        guard self.ending == nil else { return }
        if self.phase == .starting {
            return self.fail(ControlError("told to end before everything was ready"))
        }
        guard self.phase == .running else { return }
        self.phase = .draining
        self.load?.stop()
        self.heal { [weak self] healed in
            guard let self else { return }
            let faults = healed.map { "\($0.text) (bitten \($0.bitten)×)" }
            if !faults.isEmpty {
                self.happened("healed \(faults.joined(separator: ", "))", .neutral)
            }
            self.checkDrained()
        }
        self.armDrainTimer()
    }

    /// Ends at once: kills everything, judges nothing.
    package func abort() {
        guard self.phase != .ended else { return }
        self.ending = .aborted
        self.killEverything()
    }

    /// Ends because it cannot go on.
    func fail(_ error: ControlError) {
        guard self.ending == nil else { return }
        self.ending = .failed(error)
        self.killEverything()
    }

    private func killEverything() {
        self.abandonChanges()
        self.launcher.stop { [weak self] in self?.end() }
        self.launcher.abort()
    }

    private func armDrainTimer() {
        guard self.phase == .draining, self.ending == nil, self.drainTimer == nil else { return }
        self.drainTimer = self.loop.timer(at: self.loop.now() + Self.drainInterval) { [weak self] in
            guard let self else { return }
            self.drainTimer = nil
            // What a hub with held writes told of may reach the disk later, without a word.
            self.read()
            self.checkDrained()
            self.armDrainTimer()
        }
    }

    /// Looks whether everything has ended, and stops the processes when it has.
    func checkDrained() {
        guard self.phase == .draining, self.ending == nil, !self.drainChecks.isAsking else {
            return
        }
        self.noteProgress()
        let waited = self.loop.now() - self.drainChecks.progress.at
        let limit = self.plan.topology.shutdown.drainWithin
        guard waited < limit else {
            self.unrest = self.drainChecks.rest
            self.happened(
                "no order has ended for \(HumanText.duration(limit)): \(self.drainChecks.rest)",
                .bad
            )
            return self.stopProcesses()
        }
        let unanswered = self.load?.unansweredCount ?? 0
        // Where records are missing, how orders ended is not known.
        let open = self.feed.isOvertaken ? 0 : self.feed.fold.orders.inProgress
        guard unanswered == 0, open == 0 else {
            self.drainChecks.rest = "\(unanswered) orders unanswered, \(open) in progress"
            self.drainChecks.quietAt = nil
            return
        }
        let kills = self.kills?.remainingCount ?? 0
        guard kills == 0 || self.progress != KillSchedule.whole else {
            // A run may be over sooner than its kills; it gets them all.
            self.drainChecks.rest = "\(kills) kills still to come"
            self.drainChecks.quietAt = nil
            return
        }
        self.drainChecks.isAsking = true
        self.admin.ask(["do": "drain"]) { _ in }
        self.admin.ask(["do": "status"]) { [weak self] result in
            guard let self else { return }
            self.drainChecks.isAsking = false
            guard case .success(let status) = result else { return }
            self.judgeQuiet(status)
        }
    }

    /// The limit begins anew with each order that ends: a long backlog may take its time.
    private func noteProgress() {
        let orders = self.feed.fold.orders
        let ended = orders.confirmed + orders.cancelled
        guard ended != self.drainChecks.progress.ended else { return }
        self.drainChecks.progress = (ended, self.loop.now())
    }

    /// Nothing may be under way twice in a row, with the log unchanged in between.
    private func judgeQuiet(_ status: JSONValue) {
        guard self.phase == .draining, self.ending == nil else { return }
        let position = status["position"]?.int ?? 0
        var rest: [String] = []
        for service in status["services"]?.array ?? [] {
            let open =
                (service["lag"]?.int ?? 0) + (service["inFlight"]?.int ?? 0)
                + (service["retrying"]?.int ?? 0)
            if open > 0 {
                rest.append("\(service["name"]?.string ?? "?") has \(open) events to do")
            }
        }
        guard rest.isEmpty else {
            self.drainChecks.rest = rest.joined(separator: ", ")
            self.drainChecks.quietAt = nil
            return
        }
        if self.drainChecks.quietAt == position, self.feed.position >= UInt64(max(0, position)) {
            self.stopProcesses()
        } else {
            self.drainChecks.quietAt = position
            // A timer that fired from here on would be handled by nobody.
            self.admin.ask(["do": "rest"]) { _ in }
        }
    }

    /// Ends at once, and judges what there is.
    func judgeNow() {
        guard self.ending == nil, self.phase != .ended, !self.isStopping else { return }
        self.phase = .draining
        self.stopProcesses()
        self.launcher.abort()
    }

    private func stopProcesses() {
        guard self.ending == nil, self.phase == .draining, !self.isStopping else { return }
        self.isStopping = true
        self.abandonChanges()
        // The ledger is complete before the hub goes.
        self.load?.close()
        self.launcher.stop { [weak self] in self?.end() }
    }

    /// Everything is stopped: reads the rest, judges, cleans up, tells.
    private func end() {
        guard self.phase != .ended else { return }
        self.phase = .ended
        for link in [self.admin, self.observer] { link.stop() }
        for party in self.parties { party.stop() }
        self.load?.close()
        self.control?.close()
        if let leaseTimer = self.leaseTimer { self.loop.cancel(leaseTimer) }
        for fault in self.beats.keys { self.stopBeating(fault) }
        if let drainTimer = self.drainTimer { self.loop.cancel(drainTimer) }
        let ending = self.ending ?? self.judged()
        self.ending = ending
        self.folder.close()
        self.onEnded(ending)
    }

    /// Writes the verdict down; where the disk has no room for it, `squall check` judges again.
    private func keep(_ verdict: Verdict) {
        do {
            try FileSystem.write(verdict.json.prettyText + "\n", to: RunFolder.Name.verdict)
        } catch {
            self.happened("the verdict cannot be kept: \(error.message)", .bad)
        }
    }

    private func judged() -> Ending {
        var invariant = "log-readable"
        do {
            try self.feed.readAll(again: self.hasRotten)
            invariant = "ledgers-readable"
            let ledgers = try LedgerReader.ledgers(of: ".", topology: self.plan.topology)
            let verdict = self.feed.verdict(ledgers)
            self.keep(verdict)
            return .judged(verdict)
        } catch {
            self.unreadable = ScenarioOutcome.Failure(invariant: invariant, summary: "\(error)")
            return .failed(
                ControlError(
                    "the run cannot be judged: \(error)",
                    hint: "squall check \(self.folder.id)"
                )
            )
        }
    }
}
