import Chaos
import Mesh
import RealWorld

/// Everything that `squall bench` measures, several rounds of it.
struct BenchSuite {
    let isQuick: Bool
    /// Told what is being measured.
    let progress: (String) -> Void

    private var rounds: Int { self.isQuick ? 3 : 5 }
    private var logBytes: Int { self.isQuick ? 128 << 20 : 1 << 30 }
    private var orders: Int { self.isQuick ? 4_000 : 20_000 }

    /// The kinds of work on the mesh, with what is reported of each.
    private static let works: [(work: BenchMeshOptions.Work, consumers: Int)] = [
        (.pub, 1), (.pub, 5), (.durable, 1), (.rtt, 1), (.confirm, 1),
    ]

    func run() throws(ControlError) -> [BenchFigure] {
        var figures: [BenchFigure] = []
        for round in 1...self.rounds {
            self.progress("round \(round) of \(self.rounds): the shop")
            try self.shop(&figures)
            self.progress("round \(round) of \(self.rounds): orders")
            try self.placeOrders(&figures)
            self.progress("round \(round) of \(self.rounds): recovery")
            let size = HumanText.count(self.logBytes >> 20)
            for withCheckpoints in [true, false] {
                let milliseconds = try BenchRecovery(bytes: self.logBytes)
                    .run(withCheckpoints: withCheckpoints)
                let name = "recovery of \(size) MiB" + (withCheckpoints ? "" : ", no checkpoint")
                Self.add(milliseconds, name, "ms", to: &figures)
            }
            self.progress("round \(round) of \(self.rounds): the mesh")
            try self.mesh(&figures)
        }
        return figures
    }

    private static func add(
        _ value: Double,
        _ name: String,
        _ unit: String,
        rises: Bool = false,
        to figures: inout [BenchFigure]
    ) {
        let index = figures.firstIndex { $0.name == name } ?? figures.count
        if index == figures.count { figures.append(BenchFigure(name, unit, rises: rises)) }
        figures[index].values.append(value)
    }

    private func shop(_ figures: inout [BenchFigure]) throws(ControlError) {
        let seconds = self.isQuick ? 3 : 5
        let outcome = try BenchShop.run(
            ["--for", "\(seconds)s", "--rate", "100", "--chaos", "kills:10"],
            looking: 1
        )
        let times = [
            ("launch, all ready", "readyNanoseconds"),
            ("killed, noticed", "noticedMedianNanoseconds"),
            ("killed, serving again", "servingMedianNanoseconds"),
        ]
        for (name, key) in times {
            guard let value = outcome.report["timing"]?[key]?.int else { continue }
            Self.add(Double(value) / 1e6, name, "ms", to: &figures)
        }
        let services = ["Orders", "Inventory", "Payments", "Notifications", "Analytics"]
        let largest = outcome.memory.filter { services.contains($0.program) }.map(\.kibibytes).max()
        let hub = outcome.memory.first { $0.program == "Hub" }?.kibibytes
        let all = outcome.memory.reduce(0) { $0 + $1.kibibytes }
        for (name, kibibytes) in [
            ("memory of the hub", hub), ("memory of the largest service", largest),
            ("memory of all processes", all),
        ] {
            guard let kibibytes, kibibytes > 0 else { continue }
            Self.add(Double(kibibytes) / 1024, name, "MiB", to: &figures)
        }
    }

    /// Two histories, of which the difference in time is that of the orders alone.
    private func placeOrders(_ figures: inout [BenchFigure]) throws(ControlError) {
        var seconds: [Double] = []
        for orders in [self.orders / 4, self.orders + self.orders / 4] {
            let history = try BenchShop.history(orders)
            defer { FileSystem.remove(history) }
            let words = ["--history", history, "--speed", "max"]
            seconds.append(try BenchShop.run(words).seconds)
        }
        let rate = Double(self.orders) / max(seconds[1] - seconds[0], 1e-3)
        Self.add(rate, "orders, placed to confirmed", "a second", rises: true, to: &figures)
    }

    private func mesh(_ figures: inout [BenchFigure]) throws(ControlError) {
        for (work, consumers) in Self.works {
            var options = BenchMeshOptions()
            options.work = work
            options.consumers = consumers
            options.seconds = self.isQuick ? 0.8 : 1.2
            let result = try MeshBench(options: options).run()
            let name = "mesh \(work.rawValue)" + (consumers > 1 ? ", 1 to \(consumers)" : "")
            if let latency = result.latency {
                Self.add(latency.p50, "\(name), p50", "µs", to: &figures)
                Self.add(latency.p99, "\(name), p99", "µs", to: &figures)
            } else {
                Self.add(result.rate, name, "a second", rises: true, to: &figures)
                Self.add(result.clientSeconds, "\(name), clients", "s a million", to: &figures)
                Self.add(result.hubSeconds, "\(name), hub", "s a million", to: &figures)
            }
        }
    }
}
