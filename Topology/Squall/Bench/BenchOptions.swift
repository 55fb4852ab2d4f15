/// The options of `squall bench`.
enum BenchOptions: Sendable, Hashable {
    /// One kind of work on the mesh.
    case mesh(BenchMeshOptions)
    /// The simulated world.
    case sim
    /// The mesh, with ever more of everything.
    case growth
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
    /// Services, each of which gets every event.
    var consumers = 1
    /// Instances of one service, which share its partitions; then there is one consumer.
    var instances = 1
    /// Topics that are published to in turn.
    var topics = 1
    var size = 256
    var seconds = 2.0
    var window = 1024
    var rate = 5000
    /// Whether each link has a fault that never strikes.
    var isArmed = false
    /// Whether somebody reads the log as it grows.
    var isObserved = false

    /// How many processes consume.
    var processes: Int { max(self.consumers, self.instances) }
    /// How many times each event is handled.
    var copies: Int { self.instances > 1 ? 1 : self.consumers }
    /// Of how many subjects there are events; one keeps all in one order.
    var subjects: Int { self.instances > 1 ? 1024 : 1 }
}
