import Chaos
import Mesh
import RealWorld
import SimulatedWorld
import Testing
import TopologyFile

/// Runs a scenario of the shop under the seeds of the test, and judges each run.
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
///   - topology: the topology file, seen from the package's folder.
///   - name: what people call it; the test's name by default.
///   - location: where problems are reported.
///   - write: writes the scenario.
/// - Throws: what `write` throws, and every mistake in the scenario.
package func withShop(
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
        try Package.read(writer.json),
        invariants: writer.invariants,
        at: location
    )
}

/// Runs a scenario, such as that of a file, under the seeds of the test, and judges each run.
package func judge(
    _ scenario: ScenarioFile,
    invariants: [@Sendable (MeshLayout) -> any Invariant] = [],
    at location: SourceLocation = #_sourceLocation
) async {
    let trial = ScenarioTrial(
        file: scenario,
        invariants: invariants,
        seeds: Seeds.current,
        test: testName()
    )
    for complaint in await trial.complaints() {
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
