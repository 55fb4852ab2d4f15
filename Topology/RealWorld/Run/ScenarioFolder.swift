import Chaos
import Mesh
import TopologyFile

/// Scenario files on the disk: read with the topology that they name, and kept with what came of
/// them.
package enum ScenarioFolder {
    /// The names in the folder of a kept run.
    package enum Name {
        package static let scenario = "scenario.json"
        package static let outcome = "outcome.json"
    }

    /// Reads a scenario file; the topology that it names lies where the file's folder says.
    ///
    /// - Throws: `ControlError` whose message has one line for each problem.
    package static func read(_ path: String) throws(ControlError) -> ScenarioFile {
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
            throw ControlError("\(error)", hint: "squall help run", isUsage: true)
        }
    }

    /// Keeps a scenario with what came of it in a folder of `root`; returns the folder's name.
    ///
    /// A scenario of the same name, seed and planted bugs is replaced.
    package static func save(
        _ scenario: Scenario,
        _ outcome: ScenarioOutcome,
        in root: String,
        suffix: String = ""
    ) throws(ControlError) -> String {
        let flaws = scenario.flaws.map { "-\($0)" }.joined()
        let name = "\(self.folderName(scenario.name))-\(scenario.seed)\(flaws)\(suffix)"
        do {
            try FileSystem.makeFolders("\(root)/\(name)")
            try self.write(scenario, outcome, to: "\(root)/\(name)")
        } catch {
            throw ControlError("\(error)")
        }
        return name
    }

    /// Writes a scenario and what came of it into a folder.
    package static func write(
        _ scenario: Scenario,
        _ outcome: ScenarioOutcome,
        to folder: String
    ) throws(FileSystem.Failure) {
        let text = scenario.json.prettyText + "\n"
        try FileSystem.write(text, to: "\(folder)/\(Name.scenario)")
        let result: JSONValue = [
            "world": .string(outcome.world.rawValue),
            "hash": .string(Hex.text(outcome.hash)),
            "invariant": outcome.failure.map { .string($0.invariant) } ?? .null,
            "summary": outcome.failure.map { .string($0.summary) } ?? .null,
        ]
        try FileSystem.write(result.prettyText + "\n", to: "\(folder)/\(Name.outcome)")
    }

    /// What people call a scenario as a file's name may be.
    private static func folderName(_ name: String) -> String {
        let plain = name.map { ($0.isASCII && ($0.isLetter || $0.isNumber)) ? $0 : "-" }
        return plain.isEmpty ? "scenario" : String(plain)
    }
}
