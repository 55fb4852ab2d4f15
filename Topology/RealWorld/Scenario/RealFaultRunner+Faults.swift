import Chaos
import Events
import Mesh
import MeshSocket
import TopologyFile

extension RealFaultRunner {
    /// These faults begin, all at once.
    func begin(_ indices: [Int]) {
        self.ask(self.hub.began(indices))
        for index in indices {
            let fault = self.scenario.faults[index]
            self.states[index].isActive = fault.lasts
            self.note(fault.deed + fault.lasting, fault: index)
            switch fault.kind.aim {
            case .process: self.beginProcess(index)
            case .service: self.states[index].baseline = self.handledCount(fault.target)
            case .load: self.beginLoad(index)
            case .disk: if fault.kind == .bitRot { self.rot(index) }
            case .link, .party: continue
            }
        }
        self.tellParties(indices)
    }

    /// These faults are over.
    func end(_ indices: [Int]) {
        self.ask(self.hub.ended(indices))
        for index in indices {
            let fault = self.scenario.faults[index]
            if self.states[index].isActive {
                self.states[index].bitten += self.liveCount(index)
            }
            self.states[index].isActive = false
            if fault.kind.aim == .process { self.endProcess(index) }
        }
        self.tellParties(indices)
    }

    /// What an active fault has bitten of what is counted here anyway.
    func liveCount(_ index: Int) -> Int {
        let fault = self.scenario.faults[index]
        let count: Int
        switch fault.kind {
        case .slow: count = self.handledCount(fault.target)
        case .loadSpike: count = self.run.load?.sentCount ?? 0
        default: return 0
        }
        return max(0, count - self.states[index].baseline)
    }

    private func handledCount(_ service: String) -> Int {
        self.run.feed.fold.services.first { $0.name == service }?.events ?? 0
    }

    // MARK: Processes

    /// The processes that a fault is done to.
    private func processes(_ fault: Fault) -> [String] {
        let topology = self.run.plan.topology
        return (try? self.run.launch.processes(named: fault.target, in: topology))?.map(\.name)
            ?? []
    }

    private func beginProcess(_ index: Int) {
        let fault = self.scenario.faults[index]
        for process in self.processes(fault) {
            switch fault.kind {
            case .kill: self.kill(process, index)
            case .pause:
                guard self.run.launcher.pause(process) else { continue }
                self.states[index].bitten += 1
                self.run.arm(.paused(process: process), for: nil)
            case .crashLoop:
                let every = fault.parameters.by ?? RunningTopology.crashInterval
                self.run.arm(.crashLoop(process: process, every: every), for: nil)
                self.run.beatCrashLoop(process, every: every)
            case .slowProcessor:
                let percent = fault.parameters.percent ?? 50
                self.run.arm(.slowProcessor(process: process, percent: percent), for: nil)
                self.run.beatDuty(process, percent: percent)
            default: continue
            }
        }
    }

    /// Kills a process, after it has said what it counted of other faults.
    private func kill(_ process: String, _ index: Int) {
        let fault = self.scenario.faults[index]
        var isDone = false
        let kill = { [weak self] in
            guard let self, !isDone else { return }
            isDone = true
            guard self.run.launcher.kill(process, downFor: fault.duration) else { return }
            self.run.board.healed(.paused(process: process))
            self.states[index].bitten += 1
        }
        let party = self.run.parties.first { $0.name == process }
        if process == LaunchPlan.hub, self.hub.isCounting {
            let question = self.hub.question
            self.run.admin.ask(question.json) { [weak self] result in
                guard let self else { return }
                _ = self.hub.answered(question, try? result.get())
                kill()
            }
        } else if let party, self.toldParties[process]?.isEmpty == false {
            party.ask(["do": "status"]) { [weak self] result in
                if let self, let status = try? result.get() {
                    self.count(status["faults"], self.toldParties[process] ?? [:])
                    self.keepCounts(of: process)
                }
                kill()
            }
        } else {
            return kill()
        }
        // One that stands still does not answer.
        self.run.loop.timer(at: self.run.loop.now() + .milliseconds(50)) { kill() }
    }

    private func endProcess(_ index: Int) {
        let fault = self.scenario.faults[index]
        for process in self.processes(fault) {
            let armed: FaultBoard.Fault
            switch fault.kind {
            case .pause: armed = .paused(process: process)
            case .crashLoop:
                let every = fault.parameters.by ?? RunningTopology.crashInterval
                armed = .crashLoop(process: process, every: every)
            case .slowProcessor:
                armed = .slowProcessor(process: process, percent: fault.parameters.percent ?? 50)
            default: continue
            }
            // Another fault may go on doing the same.
            let isShared = self.states.indices.contains { other in
                self.states[other].isActive && self.scenario.faults[other].kind == fault.kind
                    && self.scenario.faults[other].target == fault.target
            }
            if isShared { continue }
            self.run.heal(armed) { [weak self] healed in
                guard let self, fault.kind != .pause else { return }
                self.states[index].bitten += healed?.bitten ?? 0
            }
        }
    }

    // MARK: Load

    private func beginLoad(_ index: Int) {
        let fault = self.scenario.faults[index]
        guard let load = self.run.load else { return }
        if fault.kind == .poison {
            self.states[index].bitten += 1
            let type = fault.parameters.type ?? OrderPlaced.type
            let topic = self.run.plan.topology.topics.first { $0.types.contains(type) }
            return load.poison(type, to: topic?.name ?? OrderPlaced.topic)
        }
        self.states[index].baseline = load.sentCount
        let now = self.run.loop.now()
        do throws(ControlError) {
            try load.change { (source) throws(ControlError) in
                let times = fault.parameters.times ?? 1
                try source.spike(times: times, for: fault.duration, now: now)
            }
        } catch {
            self.note("no load spike: \(error.message)")
        }
    }

    // MARK: Outside parties

    /// Tells the parties that these faults are about what is wrong with them now.
    private func tellParties(_ indices: [Int]) {
        let faults = indices.map { self.scenario.faults[$0] }.filter { $0.kind.aim == .party }
        for name in Set(faults.map(\.target)).sorted() { self.tellParty(name) }
    }

    func partyIsUp(_ name: String) {
        self.keepCounts(of: name)
        self.toldParties[name] = nil
        if self.states.indices.contains(where: { self.isActive($0, at: name) }) {
            self.tellParty(name)
        }
    }

    private func isActive(_ index: Int, at party: String) -> Bool {
        self.states[index].isActive && self.scenario.faults[index].target == party
            && self.scenario.faults[index].kind.aim == .party
    }

    private func tellParty(_ name: String) {
        guard let party = self.run.parties.first(where: { $0.name == name }) else { return }
        let planned = self.run.plan.topology.outside.first { $0.name == name }
        var commands = PartyCommand.standing(planned?.faults ?? []).array ?? []
        var told: [String: Int] = [:]
        for index in self.states.indices where self.isActive(index, at: name) {
            let fault = self.scenario.faults[index]
            guard let kind = fault.kind.partyName else { continue }
            // The last of a kind takes the place of the others.
            told[kind] = index
            var members: [JSONValue.Member] = [
                .init("kind", .string(kind)), .init("every", .int(Int64(fault.parameters.every))),
            ]
            if let by = fault.parameters.by { members.append(.init("by", .string(by.text))) }
            commands.append(.object(members))
        }
        let before = self.toldParties[name] ?? [:]
        self.toldParties[name] = told
        self.partyAsks += 1
        party.ask(["do": "faults", "faults": .array(commands)]) { [weak self] result in
            guard let self else { return }
            self.partyAsks -= 1
            guard let answer = try? result.get() else {
                for index in before.values { self.keepCount(of: index) }
                return
            }
            self.count(answer["healed"], before)
            for index in before.values { self.keepCount(of: index) }
            self.armed(self.states.indices.filter { self.isActive($0, at: name) })
        }
    }

    /// Asks parties how often these faults have bitten.
    func countParties(of faults: [Int]) {
        for party in self.run.parties {
            let told = self.toldParties[party.name] ?? [:]
            guard faults.contains(where: told.values.contains) else { continue }
            party.ask(["do": "status"]) { [weak self] result in
                guard let self, self.toldParties[party.name] == told else { return }
                if let status = try? result.get() { self.count(status["faults"], told) }
            }
        }
    }

    /// Takes what a party says of the faults that it was told of.
    private func count(_ faults: JSONValue?, _ told: [String: Int]) {
        for entry in faults?.array ?? [] {
            // The slow one says how slow.
            let name = entry["rule"]?.string?.prefix { $0 != " " } ?? ""
            guard let index = told[String(name)] else { continue }
            self.partyCounts[index] = Int(clamping: entry["bitten"]?.int ?? 0)
        }
    }

    private func keepCounts(of party: String) {
        for index in (self.toldParties[party] ?? [:]).values { self.keepCount(of: index) }
    }

    private func keepCount(of index: Int) {
        self.states[index].bitten += self.partyCounts.removeValue(forKey: index) ?? 0
    }

    // MARK: The log's medium

    /// Flips a bit of the hub's log.
    private func rot(_ index: Int) {
        var random = SeededRandom(seed: self.scenario.seed).split("rot \(index)")
        let folder = RunFolder.Name.log
        guard let disk = try? FolderDisk(folder: folder, create: false),
            let place = LogRot.place(in: disk, using: &random),
            FileSystem.flip("\(folder)/\(place.file)", at: place.offset)
        else { return }
        self.run.hasRotten = true
        self.states[index].bitten += 1
    }
}
