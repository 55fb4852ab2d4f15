import Chaos
import Mesh
import RealWorld

/// `squall bench growth`: durable work with ever more of everything, each row against its first.
struct BenchGrowth {
    let context: CommandContext

    private static let rounds = 3
    private static let seconds = 1.2
    private static let logBytes = 10 << 30
    private static let keptBytes = 256 << 20

    /// One measurement.
    private struct Row {
        var what: String
        /// Events a second, and megabytes.
        var rate: Double
        var megabytes: Double
        /// Seconds of computing for a million events.
        var computing: Double
        var hubKibibytes: Int
    }

    func run() throws(ControlError) -> Int32 {
        var rows: [Row] = []
        for topics in [5, 50, 500] {
            rows.append(try self.measure("\(topics) topics") { $0.topics = topics })
        }
        for instances in [1, 10, 100] {
            let name = "\(instances) instance\(instances > 1 ? "s" : "")"
            rows.append(try self.measure(name) { $0.instances = instances })
        }
        for kibibytes in [1, 16, 256, 1024] {
            rows.append(
                try self.measure("events of \(HumanText.count(kibibytes)) KiB") {
                    $0.size = kibibytes << 10
                    $0.window = max(4, min(1024, (8 << 20) / $0.size))
                }
            )
        }
        self.context.hint("a log of \(Self.logBytes >> 30) GiB, of which little is kept")
        let log = try BenchRecovery(bytes: Self.logBytes).retain(Self.keptBytes)
        self.write(rows, log)
        return ExitCode.held
    }

    /// Returns the median of some rounds.
    private func measure(
        _ what: String,
        _ change: (inout BenchMeshOptions) -> Void
    ) throws(ControlError) -> Row {
        self.context.hint(what)
        var options = BenchMeshOptions()
        options.work = .durable
        options.seconds = Self.seconds
        change(&options)
        var results: [MeshBench.Result] = []
        for _ in 0..<Self.rounds { results.append(try MeshBench(options: options).run()) }
        results.sort { $0.rate < $1.rate }
        let median = results[Self.rounds / 2]
        return Row(
            what: what,
            rate: median.rate,
            megabytes: median.rate * Double(options.size) / 1e6,
            computing: median.hubSeconds + median.clientSeconds,
            hubKibibytes: results.map(\.hubPeakKibibytes).max() ?? 0
        )
    }

    private func write(_ rows: [Row], _ log: BenchRecovery.Retained) {
        let terminal = self.context.terminal
        if self.context.output.json {
            let result: JSONValue = [
                "rows": .array(
                    rows.map {
                        [
                            "what": .string($0.what),
                            "rate": .double($0.rate.rounded()),
                            "megabytes": .double($0.megabytes),
                            "cpu_s_per_M": .double($0.computing),
                            "hub_hwm_kb": .int(Int64($0.hubKibibytes)),
                        ]
                    }
                ),
                "log": [
                    "bytes": .int(Int64(Self.logBytes)),
                    "first_mb_per_s": .double(log.first),
                    "last_mb_per_s": .double(log.last),
                    "disk_bytes_max": .int(Int64(log.diskBytesMax)),
                ],
            ]
            return terminal.write(result.text)
        }
        for row in rows {
            terminal.write(
                HumanText.padded(row.what, 22)
                    + "\(HumanText.count(Int(row.rate))) a second, \(Int(row.megabytes)) MB/s, "
                    + "\(BenchCommand.text(row.computing)) s of computing a million, "
                    + "hub at most \(row.hubKibibytes >> 10) MiB"
            )
        }
        terminal.write(
            HumanText.padded("a log of \(Self.logBytes >> 30) GiB", 22)
                + "\(Int(log.first)) MB/s at first, \(Int(log.last)) MB/s at last, at most "
                + "\(HumanText.count(log.diskBytesMax >> 20)) MiB of disk"
        )
    }
}
