import Chaos
import Mesh
import MeshSocket
import TopologyFile

/// A change of a service's instances that a command waits for.
struct PendingChange {
    var change: InstanceChange
    var began: Instant
    var timer: TimerID?
    /// The processes that are to end, of each instance.
    var ending: [String: Set<String>] = [:]
    var answer: ControlServer.Answer
}

extension RunningTopology {
    /// Lets a service have `count` instances; answers when each owns its share.
    func scale(
        _ name: String,
        to count: Int,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        let (service, partitions) = try self.changeable(name)
        guard count >= 1 else {
            throw ControlError(
                "\(name) needs at least one instance",
                hint: "squall pause \(name)",
                isUsage: true
            )
        }
        guard count <= partitions else {
            throw ControlError(
                "\(name) has \(partitions) partitions, and an instance needs one of its own: "
                    + "\(count) instances are \(count - partitions) too many",
                hint: "squall scale \(name) \(partitions)",
                isUsage: true
            )
        }
        try self.change(.scale(to: count), service.name, partitions, answer)
    }

    /// Restarts a process in order; of a service, all instances at once.
    func restart(
        _ name: String,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        try self.requireRunning()
        let processes = try self.launch.processes(named: name, in: self.plan.topology)
        guard let process = processes.first else { return }
        if let name = process.service {
            let (service, partitions) = try self.changeable(name)
            let instances = processes.compactMap(\.instance)
            return try self.change(.restart(instances), service.name, partitions, answer)
        }
        guard self.restarts[process.name] == nil, self.launcher.restart(process.name) else {
            throw ControlError("\(name) is being restarted already", hint: "squall ps")
        }
        self.board.healed(.paused(process: process.name))
        self.restarts[process.name] = answer
        self.happened("restart of \(name)", .neutral)
    }

    /// Restarts the instances of a service one after the other.
    func roll(_ name: String, _ answer: @escaping ControlServer.Answer) throws(ControlError) {
        let (service, partitions) = try self.changeable(name)
        try self.change(.roll, service.name, partitions, answer)
    }

    private func changeable(
        _ name: String
    ) throws(ControlError) -> (service: Topology.Service, partitions: Int) {
        try self.requireRunning()
        guard let service = self.plan.topology.service(name),
            let partitions = self.feed.fold.layout.services.first(where: { $0.name == name })?
                .partitions
        else {
            let names = self.plan.topology.services.map(\.name)
            throw Self.unknown("service", name, names)
        }
        guard self.changes[name] == nil else {
            throw ControlError(
                "the instances of \(name) are being changed already: wait for the end of that",
                hint: "squall ps"
            )
        }
        return (service, partitions)
    }

    private func change(
        _ kind: InstanceChange.Kind,
        _ service: String,
        _ partitions: Int,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        let present = self.launch.instances(of: service).compactMap(\.instance)
        var change = InstanceChange(
            kind,
            of: service,
            instances: present,
            partitions: partitions
        )
        let new = change.expected.filter { !present.contains($0) }
        let names = self.launch.processes.map(\.name)
        if let taken = new.first(where: names.contains) {
            throw ControlError("there is a process named \(taken) already", hint: "squall ps")
        }
        let now = self.loop.now()
        let actions = change.begun(present: present, now: now)
        self.changes[service] = PendingChange(change: change, began: now, answer: answer)
        let before = present.count
        switch kind {
        case .scale(let count): self.happened("scale \(service): \(before) → \(count)", .neutral)
        case .restart(let instances):
            let names = instances == present ? service : instances.joined(separator: ", ")
            self.happened("restart of \(names)", .neutral)
        case .roll: self.happened("rolling restart of \(service)", .neutral)
        }
        self.perform(actions, service)
    }

    // MARK: What happened

    /// The hub said that an instance came, went, is ready or has handed everything over.
    func instanceNoticed(_ notice: JSONValue) {
        guard let instance = notice["instance"]?.string,
            let service = self.serviceUnderChange(of: instance)
        else { return }
        switch notice["notice"]?.string {
        case "left", "disconnected":
            self.advance(service) { $0.left(instance) }
        case "connected":
            self.advance(service) { $0.hubForgot(instance) }
        default: break
        }
        self.lookWhoIsReady()
    }

    private func serviceUnderChange(of instance: String) -> String? {
        let process = self.launch.parts(of: instance).first
        return process?.service.flatMap { self.changes[$0] == nil ? nil : $0 }
    }

    /// A new hub does not know who is to leave.
    func repeatLeaves() {
        for service in self.changes.keys.sorted() { self.advance(service) { $0.hubForgot() } }
    }

    /// A process has ended, or is forgotten for good.
    func instanceEnded(_ name: String, isRetired: Bool) {
        let process = self.launch.processes.first { $0.name == name }
        guard let instance = process?.instance ?? process?.adapted else { return }
        let service = self.serviceUnderChange(of: instance)
        if isRetired { self.launch.remove(name) }
        guard let service else { return }
        self.changes[service]?.ending[instance]?.remove(name)
        guard self.changes[service]?.ending[instance]?.isEmpty == true else { return }
        self.changes[service]?.ending[instance] = nil
        self.changes[service]?.change.ended(instance)
        self.lookWhoIsReady()
    }

    /// A process is ready: whoever asked for its restart hears of it.
    func restartEnded(_ name: String, after duration: Duration) {
        guard let answer = self.restarts.removeValue(forKey: name) else { return }
        answer(.success(["did": .string("\(name) is back \(HumanText.duration(duration)) later")]))
    }

    /// This is how the hub sees a service.
    func observed(_ service: String, _ status: JSONValue) {
        let view = InstanceChange.View(status: status)
        self.views[service] = view
        let now = self.loop.now()
        self.advance(service) { $0.observed(view, now: now) }
    }

    /// Everything ends: what is under way will not be finished.
    func abandonChanges() {
        let answers =
            self.changes.sorted { $0.key < $1.key }.map(\.value.answer)
            + self.restarts.sorted { $0.key < $1.key }.map(\.value)
        for change in self.changes.values {
            if let timer = change.timer { self.loop.cancel(timer) }
        }
        self.changes = [:]
        self.restarts = [:]
        for answer in answers {
            answer(.failure(ControlError("the topology is going down", hint: "squall runs")))
        }
    }

    // MARK: What follows

    private func advance(
        _ service: String,
        _ step: (inout InstanceChange) -> [InstanceChange.Action]
    ) {
        guard var pending = self.changes[service] else { return }
        let actions = step(&pending.change)
        self.changes[service] = pending
        self.perform(actions, service)
    }

    private func perform(_ actions: [InstanceChange.Action], _ service: String) {
        for action in actions {
            switch action {
            case .start(let instance): self.launchInstance(instance, of: service)
            case .leave(let instance): self.letLeave(instance, of: service)
            case .retire(let instance): self.end(instance, isRetired: true)
            case .restart(let instance): self.end(instance, isRetired: false)
            case .finished: self.finished(service)
            case .failed(let missing):
                self.finish(
                    service,
                    .failure(
                        ControlError(
                            "not done within \(HumanText.duration(InstanceChange.stepWithin)): "
                                + "\(missing); it goes on by itself where it can",
                            hint: "squall ps"
                        )
                    )
                )
            }
        }
        self.armChangeTimer(service)
    }

    private func armChangeTimer(_ service: String) {
        guard let pending = self.changes[service] else { return }
        if let timer = pending.timer { self.loop.cancel(timer) }
        self.changes[service]?.timer = pending.change.nextDeadline.map { due in
            self.loop.timer(at: due) { [weak self] in
                guard let self else { return }
                self.changes[service]?.timer = nil
                let now = self.loop.now()
                self.advance(service) { $0.timePassed(now: now) }
            }
        }
    }

    private func launchInstance(_ instance: String, of name: String) {
        guard let service = self.plan.topology.service(name) else { return }
        for process in self.launch.add(instance, of: service, in: self.plan.topology) {
            self.launcher.add(process.specification(in: self.plan, runFolder: self.folder.path))
        }
    }

    private func letLeave(_ instance: String, of service: String) {
        let request: JSONValue = ["do": "leave", "instance": .string(instance)]
        self.admin.ask(request) { [weak self] result in
            // Without a hub there is nobody to hand over to: a new one will be asked again.
            guard let self, case .failure = result, self.admin.isUp else { return }
            self.advance(service) { $0.left(instance) }
        }
    }

    /// Lets the process of an instance end.
    private func end(_ instance: String, isRetired: Bool) {
        let parts = self.launch.parts(of: instance).map(\.name)
        guard let service = self.serviceUnderChange(of: instance) else { return }
        self.changes[service]?.ending[instance] = Set(parts)
        for name in parts {
            self.board.healed(.paused(process: name))
            let wasRunning = self.launcher.status(of: name)?.pid != nil
            if isRetired {
                self.launcher.retire(name)
            } else {
                self.launcher.restart(name)
                if !wasRunning { self.instanceEnded(name, isRetired: false) }
            }
        }
    }

    private func finished(_ service: String) {
        guard let pending = self.changes[service] else { return }
        let took = HumanText.duration(self.loop.now() - pending.began)
        let text =
            switch pending.change.kind {
            case .scale(let count):
                "\(service) has \(count) instance\(count == 1 ? "" : "s"), after \(took)"
            case .restart(let instances) where instances.count < pending.change.expected.count:
                "\(instances.joined(separator: ", ")) restarted within \(took)"
            case .restart: "\(service) restarted within \(took)"
            case .roll: "\(service) restarted one by one within \(took)"
            }
        self.happened(text, .good)
        let instances = pending.change.expected.map { instance -> JSONValue in
            let owned = self.views[service]?.owned[instance] ?? []
            return [
                "instance": .string(instance),
                "partitions": .array(owned.map { .int(Int64($0)) }),
            ]
        }
        self.finish(
            service,
            .success(["did": .string(text), "instances": .array(instances)])
        )
    }

    private func finish(_ service: String, _ result: Result<JSONValue, ControlError>) {
        guard let pending = self.changes.removeValue(forKey: service) else { return }
        if let timer = pending.timer { self.loop.cancel(timer) }
        pending.answer(result)
    }
}
