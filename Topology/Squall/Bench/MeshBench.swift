import Glibc
import Mesh
import RealWorld
import TopologyFile

/// Measures one kind of work on the mesh: a real hub, real clients, each a process.
struct MeshBench {
    let options: BenchMeshOptions

    /// What was measured.
    struct Result {
        /// Deliveries a second, or requests, or confirmations.
        var rate: Double
        var confirmRate: Double
        var sent: UInt64
        var handled: UInt64
        var lost: Int64
        var gaps: UInt64
        /// Seconds of computing for a million deliveries.
        var hubSeconds: Double
        var clientSeconds: Double
        /// Latencies in microseconds; nil where none were taken.
        var latency: Percentiles?
        var scheduled: Percentiles?
        var hubPeakKibibytes: Int
    }

    struct Percentiles {
        var p50: Double
        var p99: Double
        var p999: Double

        init?(_ sorted: [UInt32]) {
            guard sorted.count > 10 else { return nil }
            let at = { (part: Int) in Double(sorted[sorted.count * part / 1000]) / 1000 }
            (self.p50, self.p99, self.p999) = (at(500), at(990), at(999))
        }
    }

    /// How things stood at one moment.
    private struct Moment {
        var time: Int64
        var handled: UInt64
        var confirmed: UInt64
        var samples: UInt64
        var hub: Int64
        var clients: Int64
    }

    func run() throws(ControlError) -> Result {
        let hub = try BenchHub(
            try Self.topology(self.options),
            instances: self.options.instances
        )
        defer { hub.stop() }
        let board = try BenchBoard(creating: true)
        try hub.start()
        let settings = self.clients(hub)
        for setting in settings {
            try hub.start(setting)
            try hub.await("a client is not ready") { board.isReady(setting.number) }
        }
        board[.begin] = 1
        usleep(UInt32(self.options.seconds * 250_000))
        let before = self.moment(hub, board)
        usleep(UInt32(self.options.seconds * 750_000))
        let after = self.moment(hub, board)
        try hub.checkAlive()
        return try self.end(hub, board, before, after)
    }

    private func clients(_ hub: BenchHub) -> [BenchClient.Setting] {
        let setting = { (role: BenchClient.Role, number: Int, name: String) in
            BenchClient.Setting(
                role,
                number: number,
                token: name.split(separator: " ").map { hub.token(String($0)) }
                    .joined(separator: ","),
                self.options
            )
        }
        let producer = BenchBoard.clientsMax - 1
        let consumers = { (role: BenchClient.Role) in
            let name = self.options.instances > 1 ? "consumer-0-" : "consumer-"
            return (0..<self.options.processes).map { setting(role, $0, name + "\($0)") }
        }
        let watchers =
            (self.options.isArmed ? [setting(.armer, producer - 1, "squall")] : [])
            + (self.options.isObserved ? [setting(.observer, producer - 2, "squall")] : [])
        return watchers + self.workers(producer, setting, consumers)
    }

    private func workers(
        _ producer: Int,
        _ setting: (BenchClient.Role, Int, String) -> BenchClient.Setting,
        _ consumers: (BenchClient.Role) -> [BenchClient.Setting]
    ) -> [BenchClient.Setting] {
        switch self.options.work {
        case .pub: return consumers(.consumer) + [setting(.producer, producer, "producer")]
        case .durable:
            return consumers(.durableConsumer)
                + [setting(.confirmedProducer, producer, "producer")]
        case .open: return consumers(.timingConsumer) + [setting(.pacer, producer, "producer")]
        case .dopen:
            return consumers(.durableTimingConsumer) + [setting(.pacer, producer, "producer")]
        case .confirm: return [setting(.confirmer, producer, "producer")]
        case .rtt:
            return [
                setting(.responder, 0, "consumer-0 responder"),
                setting(.requester, producer, "consumer-1 producer"),
            ]
        }
    }

    private func handled(_ board: BenchBoard) -> UInt64 {
        (0..<self.options.processes).reduce(0) { $0 + board.handled($1) }
    }

    private func moment(_ hub: BenchHub, _ board: BenchBoard) -> Moment {
        Moment(
            time: Stopwatch.now(),
            handled: self.handled(board),
            confirmed: board[.confirmed],
            samples: board[.samples],
            hub: ProcessMeter.computed(hub.pid),
            clients: hub.clients.reduce(0) { $0 + ProcessMeter.computed($1) }
        )
    }

    private func end(
        _ hub: BenchHub,
        _ board: BenchBoard,
        _ before: Moment,
        _ after: Moment
    ) throws(ControlError) -> Result {
        let peak = ProcessMeter.peakKibibytes(hub.pid)
        let latencies = board.latencies(from: before.samples, scheduled: false)
        let scheduled = board.latencies(from: before.samples, scheduled: true)
        board[.end] = 1
        let wanted = { board[.sent] }
        let watch = Stopwatch()
        let isCounted = [.pub, .durable, .open, .dopen].contains(self.options.work)
        let copies = UInt64(self.options.copies)
        while isCounted, watch.seconds < 5, self.handled(board) < wanted() * copies {
            try hub.checkAlive()
            usleep(1000)
        }
        let handled = self.handled(board)
        board[.isFinal] = 1
        let seconds = Double(after.time - before.time) / 1e9
        let count = Double(after.handled - before.handled)
        let sent = wanted() * copies
        return Result(
            rate: count / seconds,
            confirmRate: Double(after.confirmed - before.confirmed) / seconds,
            sent: wanted(),
            handled: handled,
            lost: isCounted ? Int64(sent) - Int64(handled) : 0,
            gaps: (0..<self.options.processes).reduce(0) { $0 + board.gaps($1) },
            hubSeconds: count > 0 ? Double(after.hub - before.hub) / count / 1000 : 0,
            clientSeconds: count > 0 ? Double(after.clients - before.clients) / count / 1000 : 0,
            latency: Percentiles(latencies),
            scheduled: self.options.work.isPaced ? Percentiles(scheduled) : nil,
            hubPeakKibibytes: peak
        )
    }
}

extension MeshBench.Result {
    /// The line that the bench of other brokers reads, too.
    func json(_ options: BenchMeshOptions) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("sys", "squall"),
            .init("work", .string(options.work.rawValue)),
            .init("cons", .int(Int64(options.consumers))),
            .init("size", .int(Int64(options.size))),
            .init("window", .int(Int64(options.window))),
            .init("rate", .double(self.rate.rounded())),
            .init("confirm_rate", .double(self.confirmRate.rounded())),
            .init("sent", .int(Int64(self.sent))),
            .init("recv", .int(Int64(self.handled))),
            .init("lost", .int(self.lost)),
            .init("gaps", .int(Int64(self.gaps))),
            .init("broker_cpu_s_per_M", .double(self.hubSeconds)),
            .init("client_cpu_s_per_M", .double(self.clientSeconds)),
            .init("hwm_kb", .int(Int64(self.hubPeakKibibytes))),
        ]
        for (prefix, latency) in [("", self.latency), ("sched_", self.scheduled)] {
            guard let latency else { continue }
            members += [
                .init("\(prefix)p50", .double(latency.p50)),
                .init("\(prefix)p99", .double(latency.p99)),
                .init("\(prefix)p999", .double(latency.p999)),
            ]
        }
        return .object(members)
    }
}
