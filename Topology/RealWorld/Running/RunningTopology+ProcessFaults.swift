import Chaos
import Mesh
import MeshSocket

/// Faults of processes that go on and on until they are healed: each is a beat of a timer.
extension RunningTopology {
    /// How long after its last death a process in a crash loop dies again.
    static let crashInterval = Duration.milliseconds(100)
    /// The time over which a slowed process has its share of the processor.
    private static let dutyPeriod = Duration.milliseconds(20)

    /// Kills a process again and again, whether it became ready in between or not.
    func beatCrashLoop(_ process: String, every: Duration) {
        let fault = FaultBoard.Fault.crashLoop(process: process, every: every)
        if !self.isStopping, self.launcher.kill(process) { self.ownBites[fault, default: 0] += 1 }
        self.beat(fault, after: every) { [weak self] in
            self?.beatCrashLoop(process, every: every)
        }
    }

    /// Stops a process for a part of each period.
    func beatDuty(_ process: String, percent: Int) {
        let fault = FaultBoard.Fault.slowProcessor(process: process, percent: percent)
        let rest = Self.dutyPeriod * (100 - percent) / 100
        guard self.mayStop(process), let pid = self.launcher.status(of: process)?.pid else {
            return self.beat(fault, after: Self.dutyPeriod) { [weak self] in
                self?.beatDuty(process, percent: percent)
            }
        }
        LaunchedProcess.send(.pause, to: pid)
        self.ownBites[fault, default: 0] += 1
        self.beat(fault, after: rest) { [weak self] in
            guard let self else { return }
            self.goOn(process)
            self.beat(fault, after: Self.dutyPeriod - rest) { [weak self] in
                self?.beatDuty(process, percent: percent)
            }
        }
    }

    /// Ends what goes on and on.
    func stopBeating(_ fault: FaultBoard.Fault) {
        if let beat = self.beats.removeValue(forKey: fault) { self.loop.cancel(beat) }
        if case .slowProcessor(let process, _) = fault { self.goOn(process) }
    }

    private func beat(
        _ fault: FaultBoard.Fault,
        after time: Duration,
        _ action: @escaping () -> Void
    ) {
        if let beat = self.beats[fault] { self.loop.cancel(beat) }
        self.beats[fault] = self.loop.timer(at: self.loop.now() + time) { [weak self] in
            guard let self else { return }
            self.beats[fault] = nil
            action()
        }
    }

    /// A process that a command paused stays as it is.
    private func mayStop(_ process: String) -> Bool {
        !self.isStopping
            && !self.board.armed.contains { $0.fault == .paused(process: process) }
    }

    private func goOn(_ process: String) {
        guard !self.board.armed.contains(where: { $0.fault == .paused(process: process) }),
            let pid = self.launcher.status(of: process)?.pid
        else { return }
        LaunchedProcess.send(.resume, to: pid)
    }
}
