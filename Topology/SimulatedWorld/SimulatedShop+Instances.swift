import Chaos
import Mesh
import TopologyFile

extension SimulatedShop {
    /// Scales, restarts or rolls a service; the same decisions as those of `squall up`.
    ///
    /// Returns whether it begins: it does not where the service is being changed already, or has
    /// fewer partitions than it would have instances.
    @discardableResult
    package func change(_ kind: InstanceChange.Kind, of service: String) -> Bool {
        guard self.changes[service] == nil,
            let placed = self.topology.layout.services.first(where: { $0.name == service })
        else { return false }
        if case .scale(let count) = kind, count > placed.partitions { return false }
        if self.instanceAdmin == nil { self.startAdmin() }
        let present = self.instances(of: service)
        var change = InstanceChange(
            kind,
            of: service,
            instances: present,
            partitions: placed.partitions
        )
        let actions = change.begun(present: present, now: self.simulation.now)
        self.changes[service] = change
        self.perform(actions, service)
        return true
    }

    /// The instances of a service that run or are to, in the order of their numbers.
    package func instances(of service: String) -> [String] {
        let most = self.topology.layout.services.first { $0.name == service }?.partitions ?? 0
        let names = (1...max(1, most)).map { "\(service)-\($0)" }
        return names.filter { self.processes[$0] != nil }
    }

    private func startAdmin() {
        let admin = SimulatedAdmin(simulation: self.simulation, hub: self.hub)
        self.instanceAdmin = admin
        admin.isNeeded = true
        admin.onReady = { [unowned self] in
            for service in self.changes.keys.sorted() { self.advance(service) { $0.hubForgot() } }
            self.look()
        }
        admin.onNotice = { [unowned self] in self.noticed($0) }
        admin.connect()
    }

    private func noticed(_ notice: JSONValue) {
        guard !self.changes.isEmpty, let instance = notice["instance"]?.string else { return }
        for service in self.changes.keys.sorted() {
            switch notice["notice"]?.string {
            case "left", "disconnected": self.advance(service) { $0.left(instance) }
            case "connected": self.advance(service) { $0.hubForgot(instance) }
            default: break
            }
        }
        self.look()
    }

    private func look() {
        guard let admin = self.instanceAdmin, admin.isReady else { return }
        admin.ask(["do": "status"]) { [unowned self] status in
            for service in status["services"]?.array ?? [] {
                let view = InstanceChange.View(status: service)
                let now = self.simulation.now
                self.advance(service["name"]?.string ?? "") { $0.observed(view, now: now) }
            }
        }
    }

    private func advance(
        _ service: String,
        _ step: (inout InstanceChange) -> [InstanceChange.Action]
    ) {
        guard var change = self.changes[service] else { return }
        let actions = step(&change)
        self.changes[service] = change
        self.perform(actions, service)
    }

    private func perform(_ actions: [InstanceChange.Action], _ service: String) {
        for action in actions {
            switch action {
            case .start(let instance): self.launch(instance, of: service)
            case .leave(let instance): self.letLeave(instance, service)
            case .retire(let instance): self.end(instance, isRetired: true)
            case .restart(let instance): self.end(instance, isRetired: false)
            case .finished:
                self.changes[service] = nil
                self.changesDone += 1
                self.onChanged(service, true)
            case .failed(let missing):
                self.changes[service] = nil
                self.changesFailed.append("\(service): \(missing)")
                self.onChanged(service, false)
            }
        }
        guard let due = self.changes[service]?.nextDeadline else { return }
        self.simulation.at(due) { [unowned self] in
            let now = self.simulation.now
            self.advance(service) { $0.timePassed(now: now) }
        }
    }

    private func letLeave(_ instance: String, _ service: String) {
        let request: JSONValue = ["do": "leave", "instance": .string(instance)]
        // Without a hub there is nobody to hand over to: a new one will be asked again.
        guard let admin = self.instanceAdmin, admin.isReady else { return }
        admin.ask(request) { [unowned self] answer in
            guard answer["error"] != nil else { return }
            self.advance(service) { $0.left(instance) }
        }
    }

    /// Lets a process end in order, for good or to be started again.
    private func end(_ instance: String, isRetired: Bool) {
        if isRetired {
            self.launcher.retire(instance)
        } else if !self.launcher.restart(instance) {
            self.instanceEnded(instance)
        }
    }

    /// The process of an instance has ended.
    func instanceEnded(_ instance: String) {
        guard !self.changes.isEmpty else { return }
        for service in self.changes.keys.sorted() { self.changes[service]?.ended(instance) }
        self.look()
    }
}
