/// The options of `squall bench`.
enum BenchOptions: Sendable, Hashable {
    /// One kind of work on the mesh.
    case mesh(BenchMeshOptions)
    /// The simulated world.
    case sim
    /// Everything, in rounds.
    case all(BenchAllOptions)
}

/// The options of `squall bench` alone.
struct BenchAllOptions: Sendable, Hashable {
    var isQuick = false
    /// Where to keep the figures.
    var save: String?
    /// Earlier figures to compare with.
    var baseline: String?
}

/// The options of `squall bench mesh`.
struct BenchMeshOptions: Sendable, Hashable {
    enum Work: String, Sendable, CaseIterable {
        /// Volatile: published and delivered.
        case pub
        /// Confirmed, delivered and acknowledged, each group commit synced.
        case durable
        /// A request and its answer through the hub, one under way.
        case rtt
        /// Durable and confirmed, one under way.
        case confirm
        /// At a rate, from one end to the other: volatile, and durable.
        case open, dopen

        var isDurable: Bool { [.durable, .confirm, .dopen].contains(self) }
        var isPaced: Bool { self == .open || self == .dopen }
    }

    var work = Work.pub
    var consumers = 1
    var size = 256
    var seconds = 2.0
    var window = 1024
    var rate = 5000
}
