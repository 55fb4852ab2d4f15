import Chaos

/// The options of `squall run`.
struct RunOptions: Sendable, Hashable {
    /// Scenario files and folders of them.
    var paths: [String] = []
    var world = World.simulated
    /// How many seeds; nil for as many as each file says.
    var seedCount: Int?
    /// The first seed.
    var seed: UInt64?
    /// The bugs to plant.
    var flaws: [String] = []
    /// Whether each scenario is to show that it can fail.
    var proves = false
    var threads: Int?
    /// Where to write JUnit XML.
    var junit: String?
    /// Where to write an HTML report.
    var report: String?
}
