import Chaos
import Mesh
import OutsideParties

/// The faults of outside parties.
extension FaultRunner {
    func arm(_ index: Int) {
        let fault = self.faults[index]
        guard let party = self.shop.parties[fault.target], party.isUp,
            let name = fault.kind.partyName,
            let kind = PartyFault(name: name, delay: fault.parameters.by)
        else { return }
        self.countParty(fault.target)
        for other in self.faults.indices where self.isSame(other, index) {
            self.states[other].isArmed = false
        }
        self.states[index].isArmed = true
        self.states[index].before = self.states[index].bitten
        party.arm(PartyFaults.Armed(kind, every: fault.parameters.every))
        self.armed([index])
    }

    /// Whether two faults are of one kind and one party, which has but one of each.
    private func isSame(_ one: Int, _ other: Int) -> Bool {
        self.faults[one].kind == self.faults[other].kind
            && self.faults[one].target == self.faults[other].target
    }

    /// A fault is over; an earlier one of its kind may go on.
    func disarm(_ index: Int) {
        self.states[index].isActive = false
        guard self.states[index].isArmed, let name = self.faults[index].kind.partyName else {
            return
        }
        self.states[index].isArmed = false
        self.shop.parties[self.faults[index].target]?.disarm(name)
        let other = self.faults.indices.last { self.states[$0].isActive && self.isSame($0, index) }
        if let other { self.arm(other) }
    }

    /// A party forgets its faults when its process ends.
    func armParty(_ name: String) {
        for index in self.faults.indices
        where self.states[index].isActive && self.faults[index].target == name {
            if self.faults[index].kind.aim == .party { self.arm(index) }
        }
    }

    /// Takes a party's counts.
    func countParty(_ name: String) {
        for fault in self.shop.parties[name]?.armed ?? [] where fault.bitten > 0 {
            let index = self.faults.indices.first { index in
                self.states[index].isArmed && self.faults[index].target == name
                    && self.faults[index].kind.partyName == fault.fault.name
            }
            guard let index else { continue }
            self.states[index].bitten = self.states[index].before + fault.bitten
        }
    }
}
