import Chaos
import Mesh

/// The faults that commands armed in a running topology, until they are healed or their time ends.
///
/// Pure: the shell arms and heals what this says.
struct FaultBoard {
    /// What goes wrong.
    enum Fault: Sendable, Hashable {
        case paused(process: String)
        case slow(service: String, by: Duration)
        case cut(from: String, to: String)
        case link(from: String, to: String, LinkFault)
        /// A process that is killed again and again, so long after its last death.
        case crashLoop(process: String, every: Duration)
        /// A process that stands still for the rest of the time.
        case slowProcessor(process: String, percent: Int)
        case party(String, ControlRequest.PartyFaultKind)
        case slowParty(String, by: Duration)
        /// The load differs from what the topology says.
        case load(String)

        /// The fault in words.
        var text: String {
            switch self {
            case .paused(let process): "\(process) paused"
            case .slow(LaunchPlan.hub, let delay):
                "the hub's disk slow by \(HumanText.duration(delay))"
            case .slow(let service, let delay): "\(service) slow by \(HumanText.duration(delay))"
            case .cut(let from, let to): "cut \(from)→\(to)"
            case .link(let from, let to, let fault): "\(from)→\(to) \(fault)"
            case .crashLoop(let process, _): "\(process) in a crash loop"
            case .slowProcessor(let process, let percent): "\(process) at \(percent)% of the time"
            case .party(let party, let kind): "\(party) \(kind.rawValue)"
            case .slowParty(let party, let delay): "\(party) slow by \(HumanText.duration(delay))"
            case .load(let text): "load \(text)"
            }
        }

        /// The processes, services and parties that it is done to.
        var targets: [String] {
            switch self {
            case .paused(let process), .crashLoop(let process, _), .slowProcessor(let process, _):
                [process]
            case .slow(let service, _): [service]
            case .cut(let from, let to), .link(let from, let to, _): [from, to]
            case .party(let party, _), .slowParty(let party, _): [party]
            case .load: ["shoppers"]
            }
        }

        /// Whether arming `other` takes the place of this one.
        func isReplaced(by other: Fault) -> Bool {
            switch (self, other) {
            case (.slow(let one, _), .slow(let two, _)): one == two
            case (.slowParty(let one, _), .slowParty(let two, _)): one == two
            case (.load, .load): true
            case (.slowProcessor(let one, _), .slowProcessor(let two, _)): one == two
            case (.crashLoop(let one, _), .crashLoop(let two, _)): one == two
            default: self == other
            }
        }
    }

    /// A fault that is armed.
    struct Armed: Sendable, Hashable {
        var fault: Fault
        /// What people call it by.
        var number: Int
        var since: Instant
        /// When it heals by itself.
        var until: Instant?
        /// How often it made something go wrong, as far as is known.
        var bitten = 0
    }

    private(set) var armed: [Armed] = []
    private var lastNumber = 0

    /// When the next fault heals by itself.
    var nextEnd: Instant? { self.armed.compactMap(\.until).min() }

    /// Notes a fault that was just armed; one of the same target and kind is replaced.
    mutating func arm(_ fault: Fault, for duration: Duration?, now: Instant) {
        self.armed.removeAll { $0.fault.isReplaced(by: fault) }
        self.lastNumber += 1
        let end = duration.map { now + $0 }
        self.armed.append(Armed(fault: fault, number: self.lastNumber, since: now, until: end))
    }

    /// Notes how often a fault bit, counted since it was armed.
    mutating func bit(_ fault: Fault, count: Int) {
        guard let index = self.armed.firstIndex(where: { $0.fault == fault }) else { return }
        self.armed[index].bitten = max(self.armed[index].bitten, count)
    }

    /// Forgets a fault that was healed; returns what was known of it.
    @discardableResult
    mutating func healed(_ fault: Fault) -> Armed? {
        guard let index = self.armed.firstIndex(where: { $0.fault == fault }) else { return nil }
        return self.armed.remove(at: index)
    }

    /// Returns the faults whose time is over; they stay on the board until healed.
    func due(now: Instant) -> [Fault] {
        self.armed.filter { armed in armed.until.map { $0 <= now } ?? false }.map(\.fault)
    }

    /// The board as the live table shows it.
    func status(now: Instant) -> [TopologyStatus.Fault] {
        self.armed.map { armed in
            TopologyStatus.Fault(
                text: armed.fault.text,
                number: armed.number,
                bitten: armed.bitten,
                remaining: armed.until.map { max(.zero, $0 - now) }
            )
        }
    }
}
