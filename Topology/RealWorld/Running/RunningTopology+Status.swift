import Chaos
import Events
import Mesh
import MeshSocket
import TopologyFile

extension RunningTopology {
    /// How everything is, now.
    package func status() -> TopologyStatus {
        let now = self.loop.now()
        var status = TopologyStatus(run: self.folder.id, topology: self.plan.topology.name)
        status.phase = self.phase
        status.elapsed = now - self.started
        status.load = self.loadText(now)
        status.processes = self.processes(now)
        self.countLocalBites()
        status.faults = self.standing + self.board.status(now: now)
        let orders = self.feed.fold.orders
        status.orders.placed = orders.placed
        status.orders.confirmed = orders.confirmed
        status.orders.cancelled = orders.cancelled
        status.orders.inProgress = orders.inProgress
        status.orders.capturedCents = orders.moneyCaptured.rawValue
        status.orders.refundedCents = orders.moneyRefunded.rawValue
        if !orders.latency.isEmpty {
            status.orders.p50 = orders.latency.p50
            status.orders.p99 = orders.latency.p99
        }
        status.happenings = self.happenings
        status.progress = self.progress
        status.timeLeft = self.timeLeft
        return status
    }

    /// What the topology file promises about times, and what they were.
    package var objectives: ObjectiveReport {
        let latency = self.feed.fold.orders.latency
        return ObjectiveReport(
            self.plan.topology.objectives,
            self.timing,
            orderP99: latency.isEmpty ? nil : latency.p99
        )
    }

    /// How long the services took from the commit of an event to that of the turn that handled it.
    package var handling: JSONValue {
        .array(
            self.feed.fold.services.map { service in
                let latency = service.latency.isEmpty ? nil : service.latency
                return [
                    "service": .string(service.name), "events": .int(Int64(service.events)),
                    "p50Nanoseconds": .optional(latency?.p50),
                    "p99Nanoseconds": .optional(latency?.p99),
                ]
            }
        )
    }

    private func loadText(_ now: Instant) -> String {
        guard let source = self.load?.source, self.phase == .running else { return "" }
        return "load \(source.text(now: now))"
    }

    private func processes(_ now: Instant) -> [TopologyStatus.Process] {
        let supervised = self.launcher.status
        self.measureMemory(supervised.compactMap(\.pid).map(Int.init), now)
        let statuses = supervised.map { known -> TopologyStatus.Process in
            var process = TopologyStatus.Process(name: known.name, state: known.state.rawValue)
            process.pid = known.pid.map(Int.init)
            process.restarts = known.restarts
            process.memoryKibibytes = process.pid.flatMap { self.memory.kibibytes[$0] }
            let planned = self.launch.processes.first { $0.name == known.name }
            if let service = planned?.service, let instance = planned?.instance {
                process.service = service
                process.partitions = self.views[service]?.owned[instance] ?? []
            }
            guard planned?.kind == .service, let service = self.numbers(of: known.name) else {
                return process
            }
            process.eventsPerSecond = service.eventsPerSecond(now: now, over: 2)
            process.lag = service.lag
            let catchUp = service.catchUp(now: now, over: 2)
            process.catchUpPerSecond = catchUp?.perSecond
            process.caughtUpIn = catchUp?.timeLeft
            if !service.latency.isEmpty { process.p99 = service.latency.p99 }
            return process
        }
        return Self.grouped(statuses)
    }

    /// Puts the instances of a service beside each other.
    private static func grouped(
        _ processes: [TopologyStatus.Process]
    ) -> [TopologyStatus.Process] {
        var grouped: [TopologyStatus.Process] = []
        for process in processes {
            let last = grouped.lastIndex { $0.service != nil && $0.service == process.service }
            grouped.insert(process, at: last.map { $0 + 1 } ?? grouped.count)
        }
        return grouped
    }

    /// The numbers of a service, shown with its first instance.
    func numbers(of process: String) -> ServiceNumbers? {
        let name = process.hasSuffix("-1") ? String(process.dropLast(2)) : process
        return self.feed.fold.services.first { $0.name == process }
            ?? self.feed.fold.services.first { $0.name == name }
    }

    /// Reading the kernel's figures costs more than anything else here: once in two seconds.
    private func measureMemory(_ pids: [Int], _ now: Instant) {
        let isFresh = now - self.memory.taken < .seconds(2)
        guard !isFresh || pids.contains(where: { self.memory.kibibytes[$0] == nil }) else { return }
        var kibibytes: [Int: Int] = [:]
        for pid in pids {
            let known = isFresh ? self.memory.kibibytes[pid] : nil
            kibibytes[pid] = known ?? MemoryMeter.kibibytes(of: pid) ?? 0
        }
        self.memory = (isFresh ? self.memory.taken : now, kibibytes)
    }
}
