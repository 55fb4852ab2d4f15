import Chaos

/// The options of `squall sim`.
struct SimOptions: Sendable, Hashable {
    enum Task: Sendable, Hashable {
        /// Run seeds and judge each.
        case search
        /// Show the events of one run.
        case events
        /// Run each seed again, here and in another process, and compare.
        case verify
        /// One line for each seed with its hash.
        case hashes
        /// Say which bugs can be planted.
        case listBugs
        /// Plant each bug in turn, and say how soon it is found.
        case bugs
    }

    var task = Task.search
    var file: String?
    var runs: Int?
    var seed: UInt64?
    var orders = 100
    var faults = 10
    var flaws: [String] = []
    var threads: Int?
    /// Whether seeds leave the topology as it is.
    var isPlain = false
    /// The strategy of all seeds; nil where each seed draws its own.
    var strategy: Scenario.Strategy?
    /// The invariants that are not judged.
    var exceptions: Set<String> = []
    /// Another squall to compare with.
    var other: String?
}
