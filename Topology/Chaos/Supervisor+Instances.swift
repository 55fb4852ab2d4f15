import Mesh

extension Supervisor {
    /// One more process shall run; it is started at once where the topology runs.
    package mutating func added(_ plan: ProcessPlan, now: Instant) -> [SupervisorAction] {
        precondition(
            !self.processes.contains { $0.plan.name == plan.name },
            "there is a process \(plan.name) already"
        )
        self.processes.append(SupervisedProcess(plan: plan))
        guard self.phase == .running else { return [] }
        return self.spawn(self.processes.count - 1, now: now)
    }

    /// A process is wanted no longer: it is asked to end, and is no part of the topology then.
    package mutating func retireRequested(_ name: String, now: Instant) -> [SupervisorAction] {
        guard self.phase == .running,
            let index = self.processes.firstIndex(where: { $0.plan.name == name })
        else { return [] }
        if let pid = self.pidToEnd(index) {
            self.processes[index].afterEnd = .remove
            return self.askToEnd(index, pid: pid, now: now)
        }
        guard !self.processes[index].isAlive else {
            self.processes[index].afterEnd = .remove
            return []
        }
        return self.removed(index, now: now)
    }

    /// A process is gone for good: those that waited for it to be ready wait no longer.
    mutating func removed(_ index: Int, now: Instant) -> [SupervisorAction] {
        let name = self.processes.remove(at: index).plan.name
        return [.report(.retired(name))] + self.startOpenStages(now: now)
    }

    /// A process shall end in order and be started again at once.
    ///
    /// One that is down at the moment is started; empty where there is none of that name.
    package mutating func restartRequested(_ name: String, now: Instant) -> [SupervisorAction] {
        guard self.phase == .running,
            let index = self.processes.firstIndex(where: { $0.plan.name == name })
        else { return [] }
        guard let pid = self.pidToEnd(index) else {
            return self.reviveRequested(name, now: now)
        }
        self.processes[index].afterEnd = .restart
        return self.askToEnd(index, pid: pid, now: now)
    }

    /// The process that can be asked to end; nil where it is not there, or was asked already.
    private func pidToEnd(_ index: Int) -> Int32? {
        switch self.processes[index].state {
        case .starting(let pid), .ready(let pid): pid
        case .stopped, .spawning, .backingOff, .gaveUp, .stopping: nil
        }
    }
}
