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
        }
    }
}

extension MeshBench.Result {
    func text(_ options: BenchMeshOptions) -> String {
        var text =
            "\(options.work.rawValue): \(HumanText.count(Int(self.rate))) a second, "
            + "\(options.consumers) consumers, \(options.size) bytes; seconds of computing for a "
            + "million: hub \(Self.text(self.hubSeconds)), clients "
            + "\(Self.text(self.clientSeconds))"
        if let latency = self.latency {
            text +=
                "; p50 \(Self.text(latency.p50)) µs, p99 \(Self.text(latency.p99)) µs, "
                + "p99.9 \(Self.text(latency.p999)) µs"
        }
        if self.lost != 0 || self.gaps != 0 { text += "; lost \(self.lost), gaps \(self.gaps)" }
        return text
    }

    private static func text(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
