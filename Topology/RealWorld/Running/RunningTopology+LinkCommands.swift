import Mesh
import TopologyFile

extension RunningTopology {
    /// Makes something go wrong on a hop of a link.
    func link(
        _ from: String,
        _ to: String,
        _ fault: LinkFault,
        for duration: Duration?,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        try self.requireRunning()
        try self.requireLink(from, to)
        if self.parties.contains(where: { $0.name == to }) {
            return try self.linkToParty(to, fault, for: duration, answer)
        }
        let armed = FaultBoard.Fault.link(from: from, to: to, fault)
        if self.board.armed.contains(where: { $0.fault == armed }) {
            throw ControlError("\(armed.text) is armed already", hint: "squall heal")
        }
        self.link(from, to, fault, armed) { [weak self] error in
            self?.finish(armed, duration, error, answer)
        }
    }

    func requireLink(_ from: String, _ to: String) throws(ControlError) {
        let links = self.plan.topology.links
        if to == LaunchPlan.hub || links.contains(where: { $0.from == from && $0.to == to }) {
            return
        }
        let known = links.map { "\($0.from)→\($0.to)" }.joined(separator: ", ")
        throw ControlError(
            "there is no link \(from)→\(to); links are \(known)",
            hint: "squall graph",
            isUsage: true
        )
    }

    /// Calls of an outside party take no hub: what goes wrong on the way does so at its desk.
    private func linkToParty(
        _ name: String,
        _ fault: LinkFault,
        for duration: Duration?,
        _ answer: @escaping ControlServer.Answer
    ) throws(ControlError) {
        guard let party = self.parties.first(where: { $0.name == name }) else { return }
        var plain = LinkFault(kind: fault.kind)
        plain.by = fault.by
        guard plain == fault else {
            throw ControlError(
                "on a link to an outside party only the kind and --by can be chosen",
                hint: "squall help link",
                isUsage: true
            )
        }
        let kind: ControlRequest.PartyFaultKind
        switch fault.kind {
        case .cut: kind = .down
        case .drop: kind = .timeoutAfter
        case .duplicate: kind = .answersTwice
        case .delay, .hold:
            let by = fault.by ?? .zero
            return self.arm(
                .slowParty(name, by: by),
                PartyCommand.slow(by: by, for: duration),
                at: party,
                for: duration,
                answer
            )
        case .reorder, .corrupt, .throttle:
            throw ControlError(
                "a link to an outside party can be cut, delayed, and lose or double answers; "
                    + "\(fault.kind.rawValue) is for links between services",
                hint: "squall help link",
                isUsage: true
            )
        }
        let command = PartyCommand.arm(kind, for: duration)
        self.arm(.party(name, kind), command, at: party, for: duration, answer)
    }

    // MARK: Processes

    /// Kills a process again and again.
    func crashLoop(_ name: String, for duration: Duration?) throws(ControlError) -> JSONValue {
        try self.beating(name, for: duration) { process in
            .crashLoop(process: process, every: Self.crashInterval)
        } begin: { process in
            self.beatCrashLoop(process, every: Self.crashInterval)
        }
    }

    /// Lets a process run for a share of the time.
    func slowProcessor(
        _ name: String,
        _ percent: Int,
        for duration: Duration?
    ) throws(ControlError) -> JSONValue {
        try self.beating(name, for: duration) { process in
            .slowProcessor(process: process, percent: percent)
        } begin: { process in
            self.beatDuty(process, percent: percent)
        }
    }

    private func beating(
        _ name: String,
        for duration: Duration?,
        _ fault: (String) -> FaultBoard.Fault,
        begin: (String) -> Void
    ) throws(ControlError) -> JSONValue {
        try self.requireRunning()
        let processes = try self.launch.processes(named: name, in: self.plan.topology)
        var texts: [String] = []
        for process in processes {
            let fault = fault(process.name)
            for armed in self.board.armed where armed.fault.isReplaced(by: fault) {
                self.stopBeating(armed.fault)
            }
            self.arm(fault, for: duration)
            texts.append(fault.text)
            begin(process.name)
        }
        let did = Self.lasting(texts.joined(separator: ", "), duration)
        self.happened(did["did"]?.string ?? "", .bad)
        return did
    }
}
