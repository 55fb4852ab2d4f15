import Chaos
import Mesh
import MeshSocket
import TopologyFile

extension RunningTopology {
    /// Does what a command asks, and answers what it did.
    func carryOut(_ request: ControlRequest, _ answer: @escaping ControlServer.Answer) {
        do throws(ControlError) {
            switch request {
            case .status:
                self.refreshBites()
                // The counts of others come a moment later than asked for.
                self.loop.timer(at: self.loop.now() + .milliseconds(5)) { [weak self] in
                    guard let self else { return }
                    answer(.success(self.status().json))
                }
            case .kill(let name): answer(.success(try self.kill(name)))
            case .pause(let name, let duration):
                answer(.success(try self.pause(name, for: duration)))
            case .resume(let name): answer(.success(try self.resume(name)))
            case .slow(let name, let delay, let duration):
                try self.slow(name, by: delay, for: duration, answer)
            case .cut(let from, let to, let duration):
                try self.cut(from, to, for: duration, answer)
            case .party(let name, let kind, let duration):
                try self.fault(name, kind, for: duration, answer)
            case .link(let from, let to, let fault, let duration):
                try self.link(from, to, fault, for: duration, answer)
            case .crashLoop(let name, let duration):
                answer(.success(try self.crashLoop(name, for: duration)))
            case .slowProcessor(let name, let percent, let duration):
                answer(.success(try self.slowProcessor(name, percent, for: duration)))
            case .heal(let number): try self.heal(number, answer)
            case .load(let times, let duration):
                answer(.success(try self.spike(times, for: duration)))
            case .rate(let rate, let duration):
                answer(.success(try self.setRate(rate, for: duration)))
            case .scale(let name, let count): try self.scale(name, to: count, answer)
            case .restart(let name): try self.restart(name, answer)
            case .roll(let name): try self.roll(name, answer)
            case .hub(let request): try self.ask(request, answer)
            }
        } catch {
            answer(.failure(error))
        }
    }

    private static func did(_ text: String) -> JSONValue { ["did": .string(text)] }

    static func lasting(_ text: String, _ duration: Duration?) -> JSONValue {
        Self.did(text + (duration.map { " for \(HumanText.duration($0))" } ?? ""))
    }

    func requireRunning() throws(ControlError) {
        switch self.phase {
        case .running: return
        case .starting:
            throw ControlError("the topology is still starting", hint: "squall ps")
        case .draining, .ended:
            throw ControlError("the topology is going down", hint: "squall runs")
        }
    }

    // MARK: Processes

    private func kill(_ name: String) throws(ControlError) -> JSONValue {
        try self.requireRunning()
        var killed: [String] = []
        for process in try self.launch.processes(named: name, in: self.plan.topology) {
            let pid = self.launcher.status.first { $0.name == process.name }?.pid
            guard let pid, self.launcher.kill(process.name) else { continue }
            killed.append("\(process.name) (pid \(pid))")
            self.board.healed(.paused(process: process.name))
        }
        guard !killed.isEmpty else {
            throw ControlError("\(name) is not running at the moment", hint: "squall ps")
        }
        let text = "killed \(killed.joined(separator: ", "))"
        self.happened(text, .bad)
        return Self.did(text)
    }

    private func pause(
        _ name: String,
        for duration: Duration?
    ) throws(ControlError) -> JSONValue {
        try self.requireRunning()
        let processes = try self.launch.processes(named: name, in: self.plan.topology)
        let paused = processes.filter { self.launcher.pause($0.name) }
        guard !paused.isEmpty else {
            throw ControlError("\(name) is paused already, or not running", hint: "squall ps")
        }
        for process in paused { self.arm(.paused(process: process.name), for: duration) }
        let names = paused.map(\.name).joined(separator: ", ")
        let answer = Self.lasting("paused \(names)", duration)
        self.happened(answer["did"]?.string ?? "", .bad)
        return answer
    }

    private func resume(_ name: String) throws(ControlError) -> JSONValue {
        let processes = try self.launch.processes(named: name, in: self.plan.topology)
        self.countLocalBites()
        let resumed = processes.filter { self.launcher.resume($0.name) }
        guard !resumed.isEmpty else {
            throw ControlError("\(name) is not paused", hint: "squall ps")
        }
        for process in resumed { self.board.healed(.paused(process: process.name)) }
        let text = "resumed \(resumed.map(\.name).joined(separator: ", "))"
        self.happened(text, .good)
        return Self.did(text)
    }

    // MARK: Links and parties

    private func isParty(_ name: String) -> Bool { self.parties.contains { $0.name == name } }

    private func slow(
        _ name: String,
        by delay: Duration,
        for duration: Duration?,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        try self.requireRunning()
        if let party = self.parties.first(where: { $0.name == name }) {
            return self.arm(
                .slowParty(name, by: delay),
                PartyCommand.slow(by: delay, for: duration),
                at: party,
                for: duration,
                answer
            )
        }
        guard name == LaunchPlan.hub || self.plan.topology.service(name) != nil else {
            let names = self.plan.topology.services.map(\.name) + self.parties.map(\.name)
            throw Self.unknown("service or outside party", name, names + [LaunchPlan.hub])
        }
        self.slow(name, by: delay) { [weak self] error in
            self?.finish(.slow(service: name, by: delay), duration, error, answer)
        }
    }

    private func cut(
        _ from: String,
        _ to: String,
        for duration: Duration?,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        try self.requireRunning()
        try self.requireLink(from, to)
        if let party = self.parties.first(where: { $0.name == to }) {
            return self.arm(
                .party(to, .down),
                PartyCommand.arm(.down, for: duration),
                at: party,
                for: duration,
                answer
            )
        }
        let fault = FaultBoard.Fault.cut(from: from, to: to)
        self.link(from, to, LinkFault(kind: .cut), fault) { [weak self] error in
            self?.finish(fault, duration, error, answer)
        }
    }

    private func fault(
        _ name: String,
        _ kind: ControlRequest.PartyFaultKind,
        for duration: Duration?,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        try self.requireRunning()
        guard let party = self.parties.first(where: { $0.name == name }) else {
            throw Self.unknown("outside party", name, self.parties.map(\.name))
        }
        let command = PartyCommand.arm(kind, for: duration)
        self.arm(.party(name, kind), command, at: party, for: duration, answer)
    }

    func arm(
        _ fault: FaultBoard.Fault,
        _ command: JSONValue,
        at party: PartyLink,
        for duration: Duration?,
        _ answer: @escaping ControlServer.Answer
    ) {
        party.ask(command) { [weak self] result in
            var error: ControlError?
            if case .failure(let failure) = result { error = failure }
            self?.finish(fault, duration, error, answer)
        }
    }

    /// A fault is armed, or was refused.
    func finish(
        _ fault: FaultBoard.Fault,
        _ duration: Duration?,
        _ error: ControlError?,
        _ answer: ControlServer.Answer
    ) {
        if let error { return answer(.failure(error)) }
        self.arm(fault, for: duration)
        let did = Self.lasting(fault.text, duration)
        self.happened(did["did"]?.string ?? "", .bad)
        answer(.success(did))
    }

    private func heal(
        _ number: Int?,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        if let number, !self.board.armed.contains(where: { $0.number == number }) {
            let known = self.board.armed.map { "\($0.number) \($0.fault.text)" }
            throw ControlError(
                "there is no fault \(number); "
                    + (known.isEmpty
                        ? "none is armed" : "armed are \(known.joined(separator: ", "))"),
                hint: "squall ps",
                isUsage: true
            )
        }
        self.heal(number: number) { [weak self] healed in
            let names = healed.map(\.text)
            let text = names.isEmpty ? "nothing to heal" : "healed \(names.joined(separator: ", "))"
            if !names.isEmpty { self?.happened(text, .good) }
            answer(.success(["did": .string(text), "healed": .array(healed.map(\.json))]))
        }
    }

    // MARK: Load

    private func spike(_ times: Int, for duration: Duration?) throws(ControlError) -> JSONValue {
        try self.requireRunning()
        let now = self.loop.now()
        try self.changeLoad { (source) throws(ControlError) in
            try source.spike(times: times, for: duration ?? .seconds(1_000_000_000), now: now)
        }
        return self.loadChanged("×\(times)", duration)
    }

    private func setRate(_ rate: Int, for duration: Duration?) throws(ControlError) -> JSONValue {
        try self.requireRunning()
        let now = self.loop.now()
        try self.changeLoad { (source) throws(ControlError) in
            try source.setRate(OrderRate(perSecond: rate), now: now)
        }
        return self.loadChanged("\(rate)/s", duration)
    }

    private func changeLoad(
        _ body: (inout OrderSource) throws(ControlError) -> Void
    ) throws(ControlError) {
        guard let load = self.load else {
            throw ControlError("this topology has no shoppers: nobody places orders")
        }
        try load.change(body)
    }

    private func loadChanged(_ text: String, _ duration: Duration?) -> JSONValue {
        self.arm(.load(text), for: duration)
        let did = Self.lasting("load \(text)", duration)
        self.happened(did["did"]?.string ?? "", .neutral)
        return did
    }

    // MARK: The hub

    /// Hands on what the hub answers itself; faults go through the board.
    private func ask(
        _ request: JSONValue,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        let allowed = ["status", "dead-letters", "redrive", "rewind"]
        guard let what = request["do"]?.string, allowed.contains(what) else {
            throw ControlError("the hub is asked for \(allowed.joined(separator: ", ")) only")
        }
        if let name = request["service"]?.string, self.plan.topology.service(name) == nil {
            throw Self.unknown("service", name, self.plan.topology.services.map(\.name))
        }
        if let name = request["topic"]?.string,
            !self.plan.topology.topics.contains(where: { $0.name == name })
        {
            throw Self.unknown("topic", name, self.plan.topology.topics.map(\.name))
        }
        self.admin.ask(request, answer)
    }

    static func unknown(_ kind: String, _ name: String, _ names: [String]) -> ControlError {
        ControlError(
            "there is no \(kind) '\(name)'"
                + (Suggestion.closest(to: name, among: names).map { "; did you mean '\($0)'?" }
                    ?? "; there are \(names.joined(separator: ", "))"),
            hint: "squall graph",
            isUsage: true
        )
    }
}
