import Chaos
import Mesh
import RealWorld

/// `squall bench`: measures the mesh, with processes and sockets as they are in any run, or the
/// simulated world.
struct BenchCommand {
    let context: CommandContext
    let options: BenchOptions

    func run() throws(ControlError) -> Int32 {
        switch self.options {
        case .mesh(let options):
            let result = try MeshBench(options: options).run()
            self.context.terminal.write(
                self.context.output.json ? result.json(options).text : result.text(options)
            )
            return ExitCode.held
        case .sim: return try BenchSim.run(self.context)
        case .growth: return try BenchGrowth(context: self.context).run()
        case .all(let options): return try self.measure(options)
        }
    }

    private func measure(_ options: BenchAllOptions) throws(ControlError) -> Int32 {
        let baseline = try options.baseline.map { path throws(ControlError) in
            try Self.figures(in: path)
        }
        let suite = BenchSuite(isQuick: options.isQuick) { self.context.hint($0) }
        let figures = try suite.run()
        let document: JSONValue = ["figures": .array(figures.map(\.json))]
        if let path = options.save {
            do {
                try FileSystem.write(document.prettyText + "\n", to: path)
            } catch {
                throw ControlError(error.message)
            }
        }
        let regressions = figures.compactMap { figure -> (BenchFigure, Double)? in
            guard let before = baseline?.first(where: { $0.name == figure.name })
            else { return nil }
            return figure.regression(from: before).map { (figure, $0) }
        }
        if self.context.output.json {
            self.context.terminal.write(
                JSONValue.object([
                    .init("figures", document["figures"] ?? .null),
                    .init("regressions", .array(regressions.map { .string($0.0.name) })),
                ]).text
            )
        } else {
            self.write(figures, regressions)
        }
        return regressions.isEmpty ? ExitCode.held : ExitCode.broken
    }

    private func write(_ figures: [BenchFigure], _ regressions: [(BenchFigure, Double)]) {
        let terminal = self.context.terminal
        let width = (figures.map(\.name.count).max() ?? 0) + 2
        for figure in figures {
            let spread = Int((figure.spread * 100).rounded())
            terminal.write(
                HumanText.padded(figure.name, width) + Self.text(figure.median) + " \(figure.unit)"
                    + terminal.style.dim("  ± \(spread) % over \(figure.values.count) rounds")
            )
        }
        for (figure, share) in regressions {
            let percent = Int((share * 100).rounded())
            terminal.write(
                terminal.style.red("worse: \(figure.name), by \(percent) %, beyond the noise")
            )
        }
    }

    private static func figures(in path: String) throws(ControlError) -> [BenchFigure] {
        do {
            let document = try JSONValue(parsingUTF8: try FileSystem.read(path))
            let figures = (document["figures"]?.array ?? []).compactMap(BenchFigure.init)
            guard !figures.isEmpty else {
                throw ControlError("\(path) holds no figures of a bench")
            }
            return figures
        } catch {
            throw ControlError(
                "\(path) is no baseline: \(error)",
                hint: "squall bench --save \(path)",
                isUsage: true
            )
        }
    }

    static func text(_ value: Double) -> String {
        if value >= 1000 { return HumanText.count(Int(value.rounded())) }
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

extension MeshBench.Result {
    func text(_ options: BenchMeshOptions) -> String {
        var text =
            "\(options.work.rawValue): \(HumanText.count(Int(self.rate))) a second, "
            + "\(options.consumers) consumers, \(options.size) bytes; seconds of computing for a "
            + "million: hub \(BenchCommand.text(self.hubSeconds)), clients "
            + "\(BenchCommand.text(self.clientSeconds))"
        if let latency = self.latency {
            text +=
                "; p50 \(BenchCommand.text(latency.p50)) µs, p99 \(BenchCommand.text(latency.p99))"
                + " µs, p99.9 \(BenchCommand.text(latency.p999)) µs"
        }
        if self.lost != 0 || self.gaps != 0 { text += "; lost \(self.lost), gaps \(self.gaps)" }
        return text
    }
}
