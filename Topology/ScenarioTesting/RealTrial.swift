import Chaos
import Mesh
import RealWorld

/// Runs a scenario on processes and says what is wrong with it.
struct RealTrial: Sendable {
    let file: ScenarioFile
    let seeds: ClosedRange<UInt64>
    /// The test that it belongs to.
    let test: String

    /// How long a run may take, its start and its end included.
    private static let secondsMax = 180

    /// What is wrong, for people: a broken promise and where the run lies, what never happened, a
    /// planted bug that nobody noticed; nothing where all is well.
    func complaints() async -> [String] {
        if let obstacle = self.file.obstacle(in: .real) {
            return ["\(self.file.name) proves nothing: skipped: \(obstacle)"]
        }
        var complaints: [String] = []
        do {
            for seed in self.seeds {
                if let complaint = try await self.run(seed, planting: nil) {
                    complaints.append(complaint)
                }
            }
            guard complaints.isEmpty else { return complaints }
            for bug in self.file.brokenBy where try await !self.isFound(bug) {
                complaints.append(
                    "\(self.file.name) cannot fail as it should: with the bug \(bug) planted, "
                        + "seeds \(self.seeds.lowerBound) to \(self.seeds.upperBound) pass"
                )
            }
        } catch {
            complaints.append("\(self.file.name) could not run on processes: \(error)")
        }
        return complaints
    }

    private func isFound(_ bug: String) async throws -> Bool {
        for seed in self.seeds where try await self.run(seed, planting: bug) != nil { return true }
        return false
    }

    /// Runs it under one seed; returns what is wrong.
    private func run(_ seed: UInt64, planting bug: String?) async throws -> String? {
        let scenario = self.file.scenario(seed: seed)
        let folder = "\(Package.root)/.squall/tests"
        try FileSystem.makeFolders(folder)
        let plain = self.file.name.map { $0.isASCII && $0.isLetter ? $0 : "-" }
        let path = "\(folder)/\(String(plain))-\(seed)"
        try FileSystem.write(scenario.json.prettyText, to: "\(path).json")
        let planted = bug.map { ["--bug", $0] } ?? []
        let result = try await SquallProcess.run(
            ["run", "--real", "\(path).json", "--json"] + planted,
            in: Package.root,
            writing: path,
            within: Self.secondsMax
        )
        guard let json = try? JSONValue(parsing: result.output),
            let told = json["scenarios"]?.array?.first
        else { throw SquallProcess.Failure(description: result.errors + result.output) }
        // One by one each seed is all there is: its bites are those of the scenario.
        if result.code == 0 { return nil }
        guard let failure = told["failures"]?.array?.first else {
            let doubts = (told["doubts"]?.array ?? []).compactMap(\.string)
            return "\(self.file.name) proves nothing: " + doubts.joined(separator: "; ")
        }
        let run = told["run"]?.string?.split(separator: "/").last.map(String.init) ?? "latest"
        return """
            \(self.file.name) on processes, seed \(seed): \
            \(failure["invariant"]?.string ?? ""): \(failure["summary"]?.string ?? "")
            squall check \(run)
            SQUALL_SEED=\(seed) swift test --filter "\(self.test)"
            """
    }
}
