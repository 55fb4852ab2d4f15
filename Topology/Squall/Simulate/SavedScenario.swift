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
        _ outcome: ScenarioOutcome,
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

    /// Reads a scenario file; the topology that it names lies where the file's folder says.
    static func read(_ path: String) throws(ControlError) -> ScenarioFile {
        let folder = path.contains("/") ? FileSystem.folder(of: path) : "."
        do {
            return try ScenarioFile(utf8: try FileSystem.read(path), file: path) {
                name throws(ScenarioError) in
                do {
                    return try FileSystem.read(name.hasPrefix("/") ? name : "\(folder)/\(name)")
                } catch {
                    throw ScenarioError("\(error)")
                }
            }
        } catch {
            throw ControlError("\(error)", hint: "squall help replay", isUsage: true)
        }
    }

    /// Reads a scenario by its run's id, its folder or its file.
    init(named name: String) throws(ControlError) {
        let root = RunList.nearest(to: CommandContext.workingFolder).root
        let places = [name, "\(name)/\(Self.file)", "\(root)/\(name)/\(Self.file)"]
        guard let path = places.first(where: { FileSystem.exists($0) && !FileSystem.isFolder($0) })
        else {
            throw ControlError(
                "there is no scenario '\(name)': neither a file, nor a folder with "
                    + "\(Self.file), nor a run of that name in \(root)",
                hint: "squall sim",
                isUsage: true
            )
        }
        self.path = path
        let file = try Self.read(path)
        guard let seed = file.seed else {
            throw ControlError(
                "\(path) leaves the seed open: it stands for many runs",
                hint: "squall run \(path)",
                isUsage: true
            )
        }
        self.scenario = file.scenario(seed: seed)
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
