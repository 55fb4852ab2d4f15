import Chaos
import Mesh
import OutsideParties
import ProbeService
import ServiceKit
import SimulatedWorld
import TopologyFile

/// The trial in one thread with virtual time.
final class SimulatedTrial: Trial {
    private let shop: SimulatedShop
    private let lines = Lines()

    private final class Lines {
        var all: [(level: LogLevel, text: String)] = []
    }

    init(_ topology: Topology) {
        self.shop = SimulatedShop(
            topology: topology,
            orders: 0,
            seed: 1,
            services: [.init(Probe.self)]
        )
        self.shop.onLog = { [lines] in lines.all.append(($0, $1)) }
        self.shop.start()
    }

    func publish<E: Event>(_ event: E) throws {
        try self.shop.publish(Publication(event, from: "asker", at: .zero))
    }

    func start(_ instance: String) { self.shop.launch(instance, of: Probe.name) }

    func restart(_ process: String) {
        _ = self.shop.kill(process)
    }

    func pause(_ instance: String, for duration: Duration) {
        self.shop.pause(instance, for: duration)
    }

    func wait(for what: String, until holds: () throws -> Bool) throws {
        var problem: (any Error)?
        let isOver = self.shop.run(within: .seconds(60)) {
            do {
                return try holds()
            } catch {
                problem = error
                return true
            }
        }
        if let problem { throw problem }
        guard self.shop.escapes.isEmpty else {
            throw TrialError(description: "\(self.shop.escapes)")
        }
        guard isOver else { throw TrialError(description: "waited in vain for \(what)") }
    }

    func records() throws -> [LogRecord] { try LogRecord.all(on: self.shop.disk) }
    func audit() -> [JSONValue] { self.shop.audit }
    func logged() -> [(level: LogLevel, text: String)] { self.lines.all }
    func bank() throws -> BankLedger { try BankLedger(reading: self.shop.ledgerDisk) }
}

extension LogRecord {
    /// Reads a log from its start.
    static func all(on disk: any Disk) throws -> [LogRecord] {
        var follower = LogFollower()
        var records: [LogRecord] = []
        while true {
            let more = try follower.next(from: disk)
            if more.isEmpty { return records }
            records += more
        }
    }
}
