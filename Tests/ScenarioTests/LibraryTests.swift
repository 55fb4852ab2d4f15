import Chaos
import Mesh
import RealWorld
import ScenarioTesting
import ServiceKit
import SimulatedWorld
import Testing

/// The scenarios that come with Squall.
private enum Library {
    static let folder: String = {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(root)/Topology/scenarios"
    }()

    static let names = FileSystem.names(in: Self.folder).filter { $0.hasSuffix(".json") }.sorted()

    static func scenario(_ name: String) throws -> ScenarioFile {
        try ScenarioFolder.read("\(Self.folder)/\(name)")
    }
}

@Test func `the library says in a sentence what each scenario tries, and how it can fail`() throws {
    #expect(Library.names.count >= 30)
    for name in Library.names {
        let scenario = try Library.scenario(name)
        #expect(scenario.summary.count > 20, "\(name)")
        #expect(!scenario.brokenBy.isEmpty, "\(name)")
    }
}

@Test(.seeds(1...2), arguments: Library.names)
func `every scenario of the library passes, and fails with its bugs planted`(
    name: String
) async throws {
    await judge(try Library.scenario(name))
}
