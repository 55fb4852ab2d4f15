import Chaos
import RealWorld

/// Finds and reads the scenario files that a command line means.
enum ScenarioFinder {
    /// What is taken where no file is named.
    private static let usualFolders = ["scenarios", "Topology/scenarios"]

    /// Reads all scenarios, each with the path of its file, before any of them runs.
    ///
    /// - Throws: `ControlError` with every mistake of every file.
    static func scenarios(
        _ named: [String]
    ) throws(ControlError) -> [(path: String, file: ScenarioFile)] {
        var found: [(path: String, file: ScenarioFile)] = []
        var problems: [String] = []
        for path in try self.paths(named) {
            do {
                found.append((path, try ScenarioFolder.read(path)))
            } catch {
                problems.append(error.message)
            }
        }
        guard problems.isEmpty else {
            throw ControlError(
                problems.joined(separator: "\n"),
                hint: "squall help run",
                isUsage: true
            )
        }
        return found
    }

    private static func paths(_ named: [String]) throws(ControlError) -> [String] {
        var roots = named
        if roots.isEmpty {
            guard let usual = self.usualFolders.first(where: FileSystem.isFolder) else {
                throw ControlError(
                    "which scenarios? There is no folder "
                        + self.usualFolders.joined(separator: " and no folder ") + " here",
                    hint: "squall run FILE",
                    isUsage: true
                )
            }
            roots = [usual]
        }
        var paths: [String] = []
        for root in roots {
            guard FileSystem.isFolder(root) else {
                guard FileSystem.exists(root) else {
                    throw ControlError(
                        "there is no file or folder '\(root)'",
                        hint: "squall help run",
                        isUsage: true
                    )
                }
                paths.append(root)
                continue
            }
            let folder = root.hasSuffix("/") ? String(root.dropLast()) : root
            let files = FileSystem.names(in: folder).sorted().filter { $0.hasSuffix(".json") }
            guard !files.isEmpty else {
                throw ControlError(
                    "\(root) has no *.json: there is no scenario in it",
                    hint: "squall help run",
                    isUsage: true
                )
            }
            paths += files.map { "\(folder)/\($0)" }
        }
        return paths
    }
}
