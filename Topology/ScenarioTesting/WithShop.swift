import Chaos
import Mesh
import RealWorld
import SimulatedWorld
import Testing
import TopologyFile

/// Runs a scenario of the shop under the seeds of the test, and judges each run.
///
/// It runs in the simulated world, or on processes: `withShop(.real)`; the same body means the
/// same in both.
///
/// ```swift
/// @Test(.seeds(1...20)) func `the bank charges and does not answer`() async throws {
///     try await withShop { shop in
///         shop.load(rate: 100, for: .seconds(2))
///         shop.during(.milliseconds(200) ... .seconds(2)) {
///             $0.party("bank").timeoutAfter(every: 2)
///         }
///         shop.brokenBy("charge-without-key")
///     }
/// }
/// ```
///
/// The test fails where a promise is broken, with witness, story, and a line that runs it again;
/// where a fault never bit or nothing was judged; and where a bug of `brokenBy` is not noticed.
/// The first failed run is kept in `.squall/runs` of the package.
///
/// - Parameters:
///   - world: where it runs; on processes by the `squall` that is built beside the tests.
///   - topology: the topology file, seen from the package's folder.
///   - name: what people call it; the test's name by default.
///   - location: where problems are reported.
///   - write: writes the scenario.
/// - Throws: what `write` throws, and every mistake in the scenario.
package func withShop(
    _ world: World = .simulated,
    topology: String = "Topology/shop.json",
    named name: String? = nil,
    at location: SourceLocation = #_sourceLocation,
    _ write: (ScenarioWriter) throws -> Void
) async throws {
    let path = topology.hasPrefix("/") ? topology : "\(Package.root)/\(topology)"
    let writer = ScenarioWriter(name: name ?? testName(), topology: path)
    writer.orders(100)
    try write(writer)
    await judge(
        try Package.read(try writer.json(reading: path)),
        in: world,
        invariants: writer.invariants,
        services: writer.services,
        at: location
    )
}

/// Runs a scenario, such as that of a file, under the seeds of the test, and judges each run.
///
/// - Parameters:
///   - scenario: what to run.
///   - world: where it runs.
///   - invariants: what is judged beside the usual, in the simulated world.
///   - services: what runs beside the linked services, in the simulated world.
///   - location: where problems are reported.
package func judge(
    _ scenario: ScenarioFile,
    in world: World = .simulated,
    invariants: [@Sendable (MeshLayout) -> any Invariant] = [],
    services: [OwnService] = [],
    at location: SourceLocation = #_sourceLocation
) async {
    let seeds = Seeds.current(in: world)
    let complaints: [String]
    switch world {
    case .real:
        let trial = RealTrial(file: scenario, seeds: seeds, test: testName())
        if let obstacles = OwnService.obstacles(invariants, services) {
            complaints = obstacles
        } else {
            complaints = await trial.complaints()
        }
    case .simulated:
        let trial = ScenarioTrial(
            file: scenario,
            invariants: invariants,
            services: services,
            seeds: seeds,
            test: testName()
        )
        complaints = await trial.complaints()
    }
    for complaint in complaints {
        Issue.record(Comment(rawValue: complaint), sourceLocation: location)
    }
}

/// The name of the test that runs, without the quotes and parentheses of a raw identifier.
private func testName() -> String {
    let name = (Test.current?.name ?? "scenario").prefix { $0 != "(" }
    return name.filter { $0 != "`" }
}

/// The package that the tests belong to.
enum Package {
    /// Its folder.
    static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// Reads a scenario as a file's bytes are read.
    static func read(_ json: JSONValue) throws(TopologyError) -> ScenarioFile {
        try ScenarioFile(utf8: Array(json.prettyText.utf8), file: "scenario") {
            path throws(ScenarioError) in
            do {
                return try FileSystem.read(path)
            } catch {
                throw ScenarioError("\(error)")
            }
        }
    }
}
