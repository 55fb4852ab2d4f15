import Chaos
import Mesh
import MeshSocket

extension RunningTopology {
    // MARK: After a restart

    /// The hub forgets its rules when its process ends: those that stand are armed again.
    func rearmHubFaults() {
        self.rules = [:]
        for armed in self.board.armed {
            switch armed.fault {
            case .cut(let from, let to):
                self.ownBites[armed.fault] = armed.bitten
                self.link(from, to, LinkFault(kind: .cut), armed.fault) { [weak self] _ in
                    self?.healIfOver(armed.fault)
                }
            case .link(let from, let to, let link):
                self.ownBites[armed.fault] = armed.bitten
                self.link(from, to, link, armed.fault) { [weak self] _ in
                    self?.healIfOver(armed.fault)
                }
            case .slow(let service, let delay):
                self.ownBites[armed.fault] = armed.bitten
                self.slow(service, by: delay) { _ in }
            default: continue
            }
        }
    }

    /// A fault that was healed while it was being armed again must not stay.
    private func healIfOver(_ fault: FaultBoard.Fault) {
        guard !self.board.armed.contains(where: { $0.fault == fault }),
            let number = self.rules.removeValue(forKey: fault)
        else { return }
        self.admin.ask(["do": "heal", "number": .int(number)]) { _ in }
    }

    /// Arms a fault of the board at a party that has forgotten it.
    func rearm(_ armed: FaultBoard.Armed, at party: PartyLink) {
        let left = armed.until.map { max(.milliseconds(1), $0 - self.loop.now()) }
        switch armed.fault {
        case .party(party.name, let kind):
            party.ask(PartyCommand.arm(kind, for: left)) { _ in }
        case .slowParty(party.name, let delay):
            party.ask(PartyCommand.slow(by: delay, for: left)) { _ in }
        default: return
        }
    }

    /// Tells the hub what goes wrong on a link.
    func link(
        _ from: String,
        _ to: String,
        _ link: LinkFault,
        _ fault: FaultBoard.Fault,
        _ then: @escaping (ControlError?) -> Void
    ) {
        let request: JSONValue = [
            "do": "link", "from": .string(from), "to": .string(to), "fault": link.json,
        ]
        self.admin.ask(request) { [weak self] result in
            switch result {
            case .success(let answer):
                self?.rules[fault] = answer["number"]?.int
                then(nil)
            case .failure(let error): then(error)
            }
        }
    }

    /// Tells the hub to let a service handle each event later.
    func slow(
        _ service: String,
        by delay: Duration,
        _ then: @escaping (ControlError?) -> Void
    ) {
        let request: JSONValue = [
            "do": "slow", "service": .string(service),
            "milliseconds": .int(max(1, delay.inMilliseconds)),
        ]
        self.admin.ask(request) { result in
            if case .failure(let error) = result { then(error) } else { then(nil) }
        }
    }
}
