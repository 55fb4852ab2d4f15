import Chaos
import Glibc
public import Testing

/// Says under which seeds the scenarios of a test run: `@Test(.seeds(1...200))`.
///
/// `SQUALL_SEED=17 swift test --filter …` runs them under that seed alone.
public struct Seeds: TestTrait, SuiteTrait, TestScoping {
    /// From the first to the last.
    public let seeds: ClosedRange<UInt64>
    /// Suites pass them on to their tests.
    public let isRecursive = true

    /// What simulated scenarios run under where nobody says; on processes it is the first alone.
    static let usual: ClosedRange<UInt64> = 1...10

    @TaskLocal private static var inScope: ClosedRange<UInt64>?

    /// The seeds of the test that runs, in a world; nobody's choice is one seed on processes.
    static func current(in world: World) -> ClosedRange<UInt64> {
        if let text = getenv("SQUALL_SEED"), let seed = UInt64(String(cString: text)) {
            return seed...seed
        }
        return self.inScope ?? (world == .real ? 1...1 : self.usual)
    }

    /// Runs a test with its seeds in scope.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Self.$inScope.withValue(self.seeds) { try await function() }
    }
}

extension Trait where Self == Seeds {
    /// The seeds under which scenarios run.
    public static func seeds(_ seeds: ClosedRange<Int>) -> Seeds {
        Seeds(seeds: UInt64(clamping: seeds.lowerBound)...UInt64(clamping: seeds.upperBound))
    }
}
