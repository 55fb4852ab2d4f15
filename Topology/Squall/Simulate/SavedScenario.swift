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

    private static let file = "scenario.json"
    private static let outcomeFile = "outcome.json"

    /// Saves a scenario as a run; returns its folder.
    static func save(
        _ scenario: Scenario,
        _ outcome: ScenarioRun.Outcome,
        suffix: String = ""
    ) throws(ControlError) -> String {
        let list = RunList(root: "\(CommandContext.workingFolder)/.squall/runs")
        let flaws = scenario.flaws.map { "-\($0)" }.joined()
        let name = "sim-\(scenario.seed)\(flaws)\(suffix)"
        let folder = "\(list.root)/\(name)"
        do {
            try FileSystem.makeFolders(folder)
            try FileSystem.write(scenario.json.prettyText + "\n", to: "\(folder)/\(Self.file)")
            let result: JSONValue = [
                "hash": .string(Hex.text(outcome.hash)),
                "invariant": outcome.failure.map { .string($0.invariant) } ?? .null,
                "summary": outcome.failure.map { .string($0.summary) } ?? .null,
            ]
            try FileSystem.write(result.prettyText + "\n", to: "\(folder)/\(Self.outcomeFile)")
        } catch {
            throw ControlError("\(error)")
        }
        return ".squall/runs/\(name)"
    }

    /// Returns the file of a scenario by its run's id, its folder or its own name; nil where there
    /// is none.
    static func path(named name: String) -> String? {
        let root = RunList.nearest(to: CommandContext.workingFolder).root
        return [name, "\(name)/\(Self.file)", "\(root)/\(name)/\(Self.file)"].first {
            FileSystem.exists($0) && !FileSystem.isFolder($0)
        }
    }

    /// Reads a scenario by its run's id, its folder or its file.
    init(named name: String) throws(ControlError) {
        guard let path = Self.path(named: name) else {
            let root = RunList.nearest(to: CommandContext.workingFolder).root
            throw ControlError(
                "there is no scenario '\(name)': neither a file, nor a folder with "
                    + "\(Self.file), nor a run of that name in \(root)",
                hint: "squall sim",
                isUsage: true
            )
        }
        self.path = path
        do {
            let json = try JSONParser.parse(try FileSystem.readText(path), dialect: .json5).value
            self.scenario = try Scenario(json, file: path) { file throws(ScenarioError) in
                do {
                    return try TopologyCommands.topology(file)
                } catch {
                    throw ScenarioError("\(error)")
                }
            }
        } catch {
            throw ControlError("\(error)", hint: "squall help replay", isUsage: true)
        }
        if let error = RunningTopology.unknownFlaw(self.scenario.flaws) { throw error }
        try SimCommand.check(self.scenario.topology, path)
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        let outcomePath = (folder.isEmpty ? "" : folder + "/") + Self.outcomeFile
        if let text = try? FileSystem.readText(outcomePath),
            let outcome = try? JSONValue(parsing: text)
        {
            self.hash = outcome["hash"]?.string.flatMap { UInt64($0, radix: 16) }
            self.invariant = outcome["invariant"]?.string
        }
    }
}
