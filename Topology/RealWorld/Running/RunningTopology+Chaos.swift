import Chaos
import Mesh
import MeshSocket

extension RunningTopology {
    /// How many orders the load will place in all; nil where only time or a person ends it.
    var plannedOrderCount: Int? {
        guard case .history(let history, _) = self.plan.load else { return nil }
        return history.rows.count
    }

    /// How far the run is, in millionths; nil where nobody can say.
    var progress: Int64? {
        let orders = self.feed.fold.orders
        if let planned = self.plannedOrderCount, planned > 0 {
            let ended = Int64(orders.confirmed + orders.cancelled)
            return ended * KillSchedule.whole / Int64(planned)
        }
        guard let duration = self.plan.duration, let ready = self.timing.ready else { return nil }
        let elapsed = (self.loop.now() - self.started - ready).inNanoseconds
        let whole = max(duration.inNanoseconds, 1)
        return min(elapsed / 1000 * KillSchedule.whole / max(whole / 1000, 1), KillSchedule.whole)
    }

    /// How long the run will still take at the pace so far; nil before anyone can tell.
    var timeLeft: Duration? {
        guard let progress = self.progress, progress > 10_000, progress < KillSchedule.whole,
            let ready = self.timing.ready
        else { return nil }
        let elapsed = (self.loop.now() - self.started - ready).inNanoseconds
        let left = elapsed / progress * (KillSchedule.whole - progress)
        return .nanoseconds(left)
    }

    /// Kills what the schedule says is due.
    func killByChance() {
        guard self.kills != nil, !self.isStopping, let progress = self.progress else { return }
        while let name = self.kills?.next(
            at: progress,
            among: self.launch.processes.map(\.name),
            isUp: { name in
                self.launcher.status.contains { $0.name == name && $0.state == .ready }
            }
        ) {
            guard self.launcher.kill(name) else { continue }
            self.killCount += 1
            let left = self.kills?.remainingCount ?? 0
            self.happened("killed \(name) (\(left) more to come)", .bad)
        }
        guard self.kills?.remainingCount ?? 0 > 0, self.killTimer == nil else { return }
        // Progress by time, and what waits for a target to be up, need a look now and then.
        self.killTimer = self.loop.timer(at: self.loop.now() + .milliseconds(20)) { [weak self] in
            self?.killTimer = nil
            self?.killByChance()
        }
    }
}
