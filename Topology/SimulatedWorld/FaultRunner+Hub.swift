import Chaos
import Mesh

/// The faults that the hub does to links and services.
extension FaultRunner {
    /// Forgets what the hub forgot with the connection.
    func hubForgot() {
        for index in self.states.indices {
            self.states[index].isAsking = false
            self.states[index].isShadowed = false
            self.states[index].rule = nil
        }
    }

    /// Brings what is armed at the hub in line with what should be, all of it in one step.
    func tellHub(_ indices: [Int]) {
        guard self.shop.admin.isReady else { return }
        let requests = indices.compactMap { index in
            self.request(index).map { (index, $0) }
        }
        guard !requests.isEmpty else { return }
        for (index, _) in requests { self.states[index].isAsking = true }
        self.shop.admin.ask(together: requests.map(\.1)) { [weak self] number, answer in
            self?.answered(requests[number].0, answer)
        }
    }

    private func answered(_ index: Int, _ answer: JSONValue) {
        self.states[index].isAsking = false
        let fault = self.faults[index]
        if let healed = answer["healed"]?.array {
            self.states[index].rule = nil
            for rule in healed { self.states[index].bitten += Int(rule["bitten"]?.int ?? 0) }
            // Another fault that did the same could not be armed: it does all of it now.
            for other in self.faults.indices where self.states[other].isShadowed {
                self.states[other].isShadowed = false
                self.tellHub([other])
            }
        } else if fault.kind == .slow {
            self.states[index].rule = (answer["milliseconds"]?.int ?? 0) > 0 ? 0 : nil
        } else if let number = answer["number"]?.int {
            self.states[index].rule = number
        } else {
            self.states[index].isShadowed = true
        }
        self.tellHub([index])
    }

    /// What the hub has to be told about a fault; nil where nothing.
    private func request(_ index: Int) -> JSONValue? {
        let (fault, state) = (self.faults[index], self.states[index])
        guard fault.kind.aim == .link || fault.kind.aim == .service, !state.isAsking,
            !(state.isActive && state.isShadowed), state.isActive != (state.rule != nil)
        else { return nil }
        if fault.kind == .slow {
            let by = fault.parameters.by ?? .zero
            return [
                "do": "slow", "service": .string(fault.target),
                "milliseconds": .int(state.isActive ? max(1, by.inMilliseconds) : 0),
            ]
        }
        guard state.isActive, let linkFault = fault.linkFault else {
            return ["do": "heal", "number": .int(state.rule ?? 0)]
        }
        return [
            "do": "link", "from": .string(fault.target), "to": .string(fault.to),
            "fault": linkFault.json,
        ]
    }

    /// Takes the counts that die with the hub.
    func countRules() {
        guard let rules = self.shop.hub.hub?.rules.rules else { return }
        for index in self.states.indices where self.faults[index].kind.aim == .link {
            guard let number = self.states[index].rule else { continue }
            let rule = rules.first { Int64($0.number) == number }
            self.states[index].bitten += rule?.bitten ?? 0
        }
    }
}

/// The operations of a scenario.
extension FaultRunner {
    func begin(operation index: Int) {
        self.isUnderWay[index] = true
        let operation = self.operations[index]
        self.note(nil, "\(operation.deed)")
        switch operation.kind {
        case .scale, .restart, .roll: self.changeNext(operation.service)
        case .redrive, .rewind: self.askHub()
        }
    }

    /// Begins the next change of a service's instances, where none is under way.
    private func changeNext(_ service: String) {
        guard self.shop.changes[service] == nil,
            let index = self.nextChange(of: service)
        else { return }
        let kind: InstanceChange.Kind =
            switch self.operations[index].kind {
            case .scale: .scale(to: self.operations[index].instances)
            case .restart: .restart(self.shop.instances(of: service))
            default: .roll
            }
        guard self.shop.change(kind, of: service) else {
            self.isUnderWay[index] = false
            return self.changeNext(service)
        }
    }

    private func nextChange(of service: String) -> Int? {
        self.operations.indices.first { index in
            self.isUnderWay[index] && self.operations[index].service == service
                && ![.redrive, .rewind].contains(self.operations[index].kind)
        }
    }

    func changed(_ service: String, isDone: Bool) {
        guard let index = self.nextChange(of: service) else { return }
        self.isUnderWay[index] = false
        self.done[index] = isDone
        self.changeNext(service)
    }

    /// Tells the hub to do what only it can; again where it went away before it answered.
    func askHub() {
        guard self.shop.admin.isReady else { return }
        for index in self.operations.indices where self.isUnderWay[index] {
            let operation = self.operations[index]
            guard [.redrive, .rewind].contains(operation.kind) else { continue }
            var request: JSONValue = [
                "do": .string(operation.kind.rawValue), "service": .string(operation.service),
            ]
            if operation.kind == .rewind, var members = request.object {
                members.append(.init("to", 0))
                request = .object(members)
            }
            self.shop.admin.ask(together: [request]) { [weak self] _, answer in
                guard let self else { return }
                self.isUnderWay[index] = false
                let count = answer["redriven"]?.int ?? answer["events"]?.int ?? 0
                self.done[index] = answer["error"] == nil && count > 0
            }
        }
    }
}
