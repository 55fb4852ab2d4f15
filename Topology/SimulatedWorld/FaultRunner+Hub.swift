import Chaos
import Mesh

/// What the hub does for the faults of a scenario: those of links, services and its disk.
extension FaultRunner {
    func ask(_ requests: [HubFaults.Request]) {
        guard self.shop.admin.isReady else { return }
        for request in requests {
            self.shop.admin.ask(request.json) { [weak self] answer in
                guard let self else { return }
                self.ask(self.hub.answered(request, answer))
                self.armed(self.hub.armed)
            }
        }
    }

    /// Takes the counts of a hub that is about to be gone, as if it had been asked.
    func countHub() {
        guard let hub = self.shop.hub.hub else { return }
        let rules = hub.rules.rules.map { rule -> JSONValue in
            ["number": .int(Int64(rule.number)), "bitten": .int(Int64(rule.bitten))]
        }
        let disk: JSONValue? = hub.diskFaults.map { faults in
            [
                "delayed": .int(Int64(faults.delayedCount)),
                "refused": .int(Int64(faults.refusedCount)),
            ]
        }
        let counts: JSONValue = ["rules": .array(rules), "disk": disk ?? .null]
        _ = self.hub.answered(self.hub.question, counts)
    }

    func hubFailed(_ error: LogError) {
        let before = self.hub.bitten
        self.hub.hubFailed()
        let bitten = self.faults.indices.first { self.hub.bitten[$0] > before[$0] }
        self.note(bitten, "the hub ends: \(error)")
    }
}

/// The operations of a scenario.
extension FaultRunner {
    func begin(operation index: Int) {
        self.isOperating[index] = true
        let operation = self.operations[index]
        self.note(nil, operation.deed)
        switch operation.kind {
        case .scale, .restart, .roll: self.changeNext(operation.service)
        case .redrive, .rewind: self.ask(operation: index)
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
            case .roll, .redrive, .rewind: .roll
            }
        guard self.shop.change(kind, of: service) else {
            self.isOperating[index] = false
            return self.changeNext(service)
        }
    }

    private func isForHub(_ index: Int) -> Bool {
        [.redrive, .rewind].contains(self.operations[index].kind)
    }

    private func nextChange(of service: String) -> Int? {
        self.operations.indices.first { index in
            self.isOperating[index] && self.operations[index].service == service
                && !self.isForHub(index)
        }
    }

    func changed(_ service: String, isDone: Bool) {
        guard let index = self.nextChange(of: service) else { return }
        self.isOperating[index] = false
        self.done[index] = isDone
        self.changeNext(service)
    }

    /// Tells a new hub what an earlier one did not answer.
    func askAgain() {
        for index in self.operations.indices where self.isOperating[index] && self.isForHub(index) {
            self.ask(operation: index)
        }
    }

    private func ask(operation index: Int) {
        guard self.shop.admin.isReady else { return }
        let operation = self.operations[index]
        let service = JSONValue.string(operation.service)
        let request: JSONValue =
            operation.kind == .rewind
            ? ["do": "rewind", "service": service, "to": 0] : ["do": "redrive", "service": service]
        self.shop.admin.ask(request) { [weak self] answer in
            guard let self else { return }
            self.isOperating[index] = false
            let count = answer["redriven"]?.int ?? answer["events"]?.int ?? 0
            self.done[index] = answer["error"] == nil && count > 0
        }
    }
}
