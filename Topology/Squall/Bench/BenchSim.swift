import Chaos
import Glibc
import Mesh
import RealWorld
import SimulatedWorld
import TopologyFile

/// `squall bench sim`: how fast the simulated world is.
struct BenchSim {
    let context: CommandContext

    private static let rounds = 5
    private static let pingPongMessages = 1_000_000
    private static let ringMessages = 200_000
    private static let ringSizes = [10, 100, 1000]
    private static let shopRuns = 400
    private static let judgedOrders = 5000
    private static let month = Duration.seconds(30 * 24 * 3600)

    /// Messages a second on one core, in a ring of so many services with as many under way.
    private struct RingFigure {
        var services: Int
        var nanosecondsPerMessage: Double
    }

    /// Measures and writes the figures; only a release build says anything.
    static func run(_ context: CommandContext) throws(ControlError) -> Int32 {
        try BenchSim(context: context).run()
    }

    private func run() throws(ControlError) -> Int32 {
        let topology = try TopologyCommands.topology(try TopologyCommands.path(nil))
        let pingPong = Self.ring(services: 2, tokens: 1, messages: Self.pingPongMessages)
        let rings = Self.ringSizes.map {
            RingFigure(
                services: $0,
                nanosecondsPerMessage: Self.ring(
                    services: $0,
                    tokens: $0,
                    messages: Self.ringMessages
                )
            )
        }
        let idle = Self.idleMonth(topology)
        let judged = Self.judging(topology)
        let threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let search = SeedSearch(ScenarioDraw(topology: topology), from: 1, runs: Self.shopRuns)
        let watch = Stopwatch()
        search.run(threads: threads) {
            usleep(2000)
            return true
        }
        let runsPerMinute = Double(Self.shopRuns) / watch.seconds * 60
        let growth = rings[rings.count - 1].nanosecondsPerMessage / rings[0].nanosecondsPerMessage
        if self.context.output.json {
            let result: JSONValue = [
                "ping_pong_messages_per_second": .int(Int64(1e9 / pingPong)),
                "rings": .array(
                    rings.map {
                        [
                            "services": .int(Int64($0.services)),
                            "nanoseconds_per_message": .double($0.nanosecondsPerMessage),
                        ]
                    }
                ),
                "growth_10_to_1000": .double(growth),
                "judged_events_per_second": .int(Int64(judged)),
                "idle_month_milliseconds": .double(idle * 1000),
                "runs_per_minute": .int(Int64(runsPerMinute)),
                "runs": .int(Int64(Self.shopRuns)), "threads": .int(Int64(threads)),
                "failures": .int(Int64(search.progress.failureCount)),
            ]
            self.context.terminal.write(result.text)
        } else {
            self.write(pingPong, rings, growth, idle, judged, runsPerMinute, threads)
        }
        return search.progress.failureCount == 0 ? ExitCode.held : ExitCode.broken
    }

    private func write(
        _ pingPong: Double,
        _ rings: [RingFigure],
        _ growth: Double,
        _ idle: Double,
        _ judged: Double,
        _ runsPerMinute: Double,
        _ threads: Int
    ) {
        let terminal = self.context.terminal
        terminal.write(
            "ping-pong of two services   \(HumanText.count(Int(1e9 / pingPong))) messages/s a core"
        )
        for ring in rings {
            terminal.write(
                HumanText.padded("ring of \(HumanText.count(ring.services)) services", 28)
                    + "\(Int(ring.nanosecondsPerMessage)) ns a message"
            )
        }
        let allowed = log(Double(rings[rings.count - 1].services)) / log(Double(rings[0].services))
        terminal.write(
            HumanText.padded("growth from 10 to 1,000", 28)
                + "\(Self.tenths(growth)) times a message; n log n is \(Self.tenths(allowed))"
        )
        terminal.write(
            HumanText.padded("an idle month", 28)
                + HumanText.duration(.nanoseconds(Int64(idle * 1e9)))
        )
        terminal.write(
            HumanText.padded("all invariants", 28)
                + "\(HumanText.count(Int(judged))) events/s a core"
        )
        terminal.write(
            HumanText.padded("the shop, 100 orders", 28)
                + "\(HumanText.count(Int(runsPerMinute))) runs/min on \(threads) threads"
        )
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int(value * 10)
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// Returns the nanoseconds of a message, the median of some rounds.
    private static func ring(services: Int, tokens: Int, messages: Int) -> Double {
        let ring = SimulatedRing(services: services, tokens: tokens, seed: 1)
        defer { ring.end() }
        ring.run(messages: messages / 10)
        let rounds = (0..<self.rounds).map { _ in
            let watch = Stopwatch()
            ring.run(messages: messages)
            return watch.seconds * 1e9 / Double(messages)
        }
        return rounds.sorted()[self.rounds / 2]
    }

    /// Returns how many events a second all invariants judge together, once they are read.
    private static func judging(_ topology: Topology) -> Double {
        let run = ScenarioRun(Scenario(topology: topology, orders: self.judgedOrders, seed: 1))
        _ = run.run()
        var reader = RecordReader()
        let records = run.records().map { record in
            let view = RecordView(record)
            reader.read(view)
            return (view, reader.contents)
        }
        let events = records.reduce(0) { $0 + $1.1.count }
        let rounds = (0..<self.rounds).map { _ in
            let judge = Judge(layout: run.layout)
            let watch = Stopwatch()
            for (record, contents) in records { judge.observe(record, contents) }
            return watch.seconds
        }
        return Double(events) / rounds.sorted()[self.rounds / 2]
    }

    /// Returns the seconds that a shop takes in which nothing happens for a month.
    private static func idleMonth(_ topology: Topology) -> Double {
        let rounds = (0..<self.rounds).map { _ in
            let shop = SimulatedShop(topology: topology, orders: 0, seed: 1)
            defer { shop.end() }
            shop.start()
            shop.simulation.run(within: .seconds(10)) { false }
            let watch = Stopwatch()
            shop.simulation.run(within: self.month) { false }
            return watch.seconds
        }
        return rounds.sorted()[self.rounds / 2]
    }
}
