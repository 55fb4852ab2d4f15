import Chaos
import Mesh

/// The faults of processes.
extension FaultRunner {
    /// How long after its last death a process in a crash loop dies again, where nobody says.
    private static let crashInterval = Duration.milliseconds(100)
    /// The time over which a slowed process has its share of the processor.
    private static let dutyPeriod = Duration.milliseconds(20)

    func kill(_ index: Int) {
        let fault = self.faults[index]
        guard self.shop.kill(fault.target, downFor: fault.duration) else { return }
        let end = fault.duration > .zero ? "back after \(fault.duration.text)" : "started again"
        self.bit(index, "\(fault.target) is killed, and \(end)")
    }

    func beginProcess(_ index: Int) {
        let fault = self.faults[index]
        switch fault.kind {
        case .pause:
            guard self.shop.launcher.pause(fault.target) || self.isPaused(index) else { return }
            self.bit(index, "\(fault.target) stands still for \(fault.duration.text)")
        case .crashLoop:
            self.note(index, self.words(of: fault))
            self.beatCrashLoop(index)
        case .slowProcessor:
            self.note(index, self.words(of: fault))
            self.beatDuty(index)
        case .clockSkew:
            guard let process = self.shop.process(fault.target) else { return }
            if process.isUp { self.bit(index, self.words(of: fault)) }
            self.setClock(fault.target)
        default: break
        }
    }

    func endProcess(_ index: Int) {
        let target = self.faults[index].target
        switch self.faults[index].kind {
        case .pause where !self.isPaused(index): self.shop.launcher.resume(target)
        case .slowProcessor where !self.isPaused(index): self.shop.process(target)?.resume()
        case .clockSkew: self.setClock(target)
        default: break
        }
    }

    /// Whether another fault than this one lets the same process stand still.
    private func isPaused(_ index: Int) -> Bool {
        self.faults.indices.contains { other in
            other != index && self.states[other].isActive && self.faults[other].kind == .pause
                && self.faults[other].target == self.faults[index].target
                && self.states[other].bitten > 0
        }
    }

    private func beatCrashLoop(_ index: Int) {
        guard self.states[index].isActive else { return }
        if self.shop.kill(self.faults[index].target) { self.bit(index) }
        let interval = self.faults[index].parameters.by ?? Self.crashInterval
        self.shop.simulation.after(interval) { [weak self] in self?.beatCrashLoop(index) }
    }

    /// Stops a process for a part of each period; one that a fault has paused stays as it is.
    private func beatDuty(_ index: Int) {
        guard self.states[index].isActive else { return }
        let fault = self.faults[index]
        let rest = Self.dutyPeriod * (100 - (fault.parameters.percent ?? 0)) / 100
        if !self.isPaused(index), let process = self.shop.process(fault.target), process.isUp {
            process.pause()
            self.bit(index)
        }
        self.shop.simulation.after(rest) { [weak self] in
            guard let self, self.states[index].isActive else { return }
            if !self.isPaused(index) { self.shop.process(fault.target)?.resume() }
            self.shop.simulation.after(Self.dutyPeriod - rest) { [weak self] in
                self?.beatDuty(index)
            }
        }
    }

    /// Brings a process's clock in line with what the active faults say.
    private func setClock(_ target: String) {
        let ahead = self.faults.indices.filter { index in
            self.states[index].isActive && self.faults[index].kind == .clockSkew
                && self.faults[index].target == target
        }.map { self.faults[$0].parameters.by ?? .zero }
        self.shop.process(target)?.skew = ahead.max() ?? .zero
    }
}
