import Chaos
import Mesh
import RealWorld
import SimulatedWorld
import TopologyFile

/// A scenario in a run folder, with what came of it.
struct SavedScenario {
    var scenario: Scenario
    /// Where it lies.
    var path: String
    /// The hash and the broken promise of the run that saved it.
    var hash: UInt64?
    var invariant: String?

    /// Keeps a scenario with what came of it as a run of this folder; returns the run's folder.
    static func save(
        _ scenario: Scenario,
        _ outcome: ScenarioOutcome,
        suffix: String = ""
    ) throws(ControlError) -> String {
        let runs = ".squall/runs"
        let root = "\(CommandContext.workingFolder)/\(runs)"
        return "\(runs)/" + (try ScenarioFolder.save(scenario, outcome, in: root, suffix: suffix))
    }

    /// Returns the file of a scenario by its run's id, its folder or its own name; nil where there
    /// is none.
    static func path(named name: String) -> String? {
        let root = RunList.nearest(to: CommandContext.workingFolder).root
        let file = ScenarioFolder.Name.scenario
        return [name, "\(name)/\(file)", "\(root)/\(name)/\(file)"].first {
            FileSystem.exists($0) && !FileSystem.isFolder($0)
        }
    }

    /// Reads a scenario by its run's id, its folder or its file.
    init(named name: String) throws(ControlError) {
        guard let path = Self.path(named: name) else {
            let root = RunList.nearest(to: CommandContext.workingFolder).root
            let file = ScenarioFolder.Name.scenario
            throw ControlError(
                "there is no scenario '\(name)': neither a file, nor a folder with "
                    + "\(file), nor a run of that name in \(root)",
                hint: "squall sim",
                isUsage: true
            )
        }
        self.path = path
        let written = try ScenarioFolder.read(path)
        guard let seed = written.seed else {
            throw ControlError(
                "\(path) leaves the seed open: it stands for many runs",
                hint: "squall run \(path)",
                isUsage: true
            )
        }
        self.scenario = written.scenario(seed: seed)
        if let error = RunningTopology.unknownFlaw(self.scenario.flaws) { throw error }
        try SimCommand.check(self.scenario.topology, path)
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        let outcomePath = (folder.isEmpty ? "" : folder + "/") + ScenarioFolder.Name.outcome
        if let text = try? FileSystem.readText(outcomePath),
            let outcome = try? JSONValue(parsing: text)
        {
            self.hash = outcome["hash"]?.string.flatMap { UInt64($0, radix: 16) }
            self.invariant = outcome["invariant"]?.string
        }
    }
}
