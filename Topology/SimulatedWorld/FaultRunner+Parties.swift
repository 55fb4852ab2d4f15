import Chaos
import Mesh
import OutsideParties

/// The faults of outside parties.
extension FaultRunner {
    func arm(_ index: Int) {
        let fault = self.faults[index]
        guard let party = self.shop.parties[fault.target], let name = fault.kind.partyName,
            let kind = PartyFault(name: name, delay: fault.parameters.by)
        else { return }
        party.arm(
            PartyFaults.Armed(
                kind,
                every: fault.parameters.every,
                until: self.states[index].until + party.skew
            )
        )
    }

    /// A party forgets its faults when its process ends.
    func armParty(_ name: String) {
        for index in self.faults.indices
        where self.states[index].isActive && self.faults[index].target == name {
            if self.faults[index].kind.aim == .party { self.arm(index) }
        }
    }

    /// Takes a party's counts; the armed fault of a kind is the last that began.
    func countParty(_ name: String) {
        let armed = self.shop.parties[name]?.armed ?? []
        for fault in armed where fault.bitten > 0 {
            let index = self.faults.indices.last { index in
                self.states[index].isActive && self.faults[index].target == name
                    && self.faults[index].kind.partyName == fault.fault.name
            }
            guard let index else { continue }
            self.states[index].bitten = max(self.states[index].bitten, fault.bitten)
        }
    }
}
