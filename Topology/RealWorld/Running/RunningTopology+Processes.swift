import Chaos
import Mesh
import MeshSocket
import TopologyFile

extension RunningTopology {
    /// The supervisor told of a process.
    func reported(_ report: SupervisorReport) {
        switch report {
        case .started(_, _):
            return
        case .ready(let name, _, let after, let servingAfter):
            self.restartEnded(name, after: servingAfter ?? after)
            guard let servingAfter else { return self.timing.started(name, within: after) }
            self.timing.serves(name, after: servingAfter)
            let isBack = "\(name) back after \(HumanText.duration(servingAfter))"
            self.happened("\(isBack) (\(HumanText.duration(after)) to start)", .good)
        case .ended(let name, let pid, let end, let wasPlanned, let noticedAfter, let lastLines):
            if let noticedAfter { self.timing.noticed(name, after: noticedAfter) }
            self.instanceEnded(name, isRetired: false)
            self.listener?.ended(name, wasPlanned: wasPlanned)
            guard !wasPlanned else { return }
            let who = pid.map { "\(name) (pid \($0))" } ?? name
            let words = lastLines.last.map { ": \($0)" } ?? ""
            self.happened("\(who) \(end)\(words)", .bad)
        case .restarting(let name, let delay):
            guard delay > .zero else { return }
            self.happened("\(name) is started again in \(HumanText.duration(delay))", .neutral)
        case .retired(let name):
            self.instanceEnded(name, isRetired: true)
        case .stayedDown(let name, let end):
            self.happened("\(name) \(end); its restart policy leaves it down", .bad)
            self.failUnlessRunning(name, "\(name) \(end)", lastLines: [])
        case .gaveUp(let name, let ends, let within, let last, let lastLines):
            let what =
                "\(name) ended \(ends) times within \(HumanText.duration(within)) and is given up: "
                + "it \(last)"
            self.happened(what, .bad)
            self.failUnlessRunning(name, what, lastLines: lastLines)
        case .ignoredRequestToEnd(let name, let pid):
            self.happened("\(name) (pid \(pid)) did not end when asked to, and is killed", .bad)
        }
    }

    /// A process that is down for good ends a run that has not begun; the hub ends any.
    private func failUnlessRunning(_ name: String, _ what: String, lastLines: [String]) {
        guard self.phase == .starting || name == LaunchPlan.hub else { return }
        let words = lastLines.map { "\n  \(name) | \($0)" }.joined()
        self.fail(ControlError(what + words, hint: "squall logs \(name) --run \(self.folder.id)"))
    }
}

extension LaunchPlan.Process {
    /// What the launcher must know of the process.
    func specification(in plan: RunningTopology.Plan, runFolder: String) -> ProcessSpec {
        let command: [String]
        switch self.program {
        case .executable(let name): command = ["\(plan.executables)/\(name)"] + self.arguments
        case .command(let words):
            command = [FileSystem.program(words.first ?? "")] + words.dropFirst()
        }
        let stage =
            switch self.kind {
            case .hub: 0
            case .outside: 1
            case .service, .adapter: 2
            }
        var environment =
            FileSystem.environment.filter { !$0.name.hasPrefix("SQUALL_") }
            + self.environment.map { (name: $0.name, value: $0.value.string ?? "") }
        if let socket = self.socket {
            environment.append(("SQUALL_SOCKET", FileSystem.socket("\(runFolder)/\(socket)")))
        }
        return ProcessSpec(
            name: self.name,
            path: command.first ?? "",
            arguments: Array(command.dropFirst()),
            folder: self.socket == nil ? nil : plan.home,
            environment: environment,
            standardInput: Array(self.standardInput.utf8),
            stage: stage,
            restart: self.policy,
            startsOthers: self.socket != nil
        )
    }

    private var policy: RestartPolicy {
        var policy = RestartPolicy()
        policy.condition =
            switch self.restart.policy {
            case .always: .always
            case .onFailure: .onFailure
            case .never: .never
            }
        policy.backoffMin = self.restart.backoffMin
        policy.backoffMax = self.restart.backoffMax
        policy.crashLoopCount = self.restart.crashLoopCount
        policy.crashLoopWithin = self.restart.crashLoopWithin
        return policy
    }
}
