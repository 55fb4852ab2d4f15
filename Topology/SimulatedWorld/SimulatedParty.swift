import Chaos
import Mesh
import OutsideParties
import ServiceKit

/// An outside party's process in the simulated world: the real desk and ledger.
final class SimulatedParty<Machine: PartyMachine>: SimulatedProcess, SimulatedPartyProcess {
    let name: String
    private let simulation: Simulation
    private let disk: MemoryDisk
    private let machine: Machine
    private let capacity: Int
    private let flaws: Flaws
    private var desk: PartyDesk<Machine>?
    private var waiting: [Int: (Result<[UInt8], any Error>) -> Void] = [:]
    private var lastCaller = 0
    private var incarnation = 0
    private var isFlushArmed = false
    /// In whose name it acts.
    private let process: Int
    private var random: SeededRandom
    private var standstill = Standstill()
    /// The faults that the topology file has on it.
    private let standing: [PartyFault]
    var skew = Duration.zero
    var onReady: () -> Void = {}
    var onExit: (ProcessEnd) -> Void = { _ in }
    var onUp: () -> Void = {}
    var onDying: () -> Void = {}

    init(
        name: String,
        machine: Machine,
        capacity: Int,
        disk: MemoryDisk,
        simulation: Simulation,
        flaws: Flaws,
        standing: [PartyFault]
    ) {
        self.standing = standing
        self.flaws = flaws
        self.name = name
        self.machine = machine
        self.capacity = capacity
        self.disk = disk
        self.simulation = simulation
        self.process = simulation.process(name)
        self.random = simulation.random(for: "party \(name)")
    }

    var isUp: Bool { self.desk != nil }

    private var clock: Instant { self.simulation.now + self.skew }

    func start() {
        guard self.desk == nil else { return }
        self.incarnation += 1
        do {
            self.desk = try PartyDesk(
                machine: self.machine,
                disk: self.disk,
                capacity: self.capacity,
                flaws: self.flaws
            )
        } catch {
            return self.onExit(.exited(code: 3))
        }
        for fault in self.standing { self.desk?.arm(PartyFaults.Armed(fault)) }
        self.onUp()
        self.onReady()
    }

    func pause() { self.standstill.begin(.stopped) }

    func resume() {
        for action in self.standstill.end(.stopped) { self.inTurn(action) }
    }

    private func inTurn(_ action: @escaping () -> Void) {
        if self.standstill.isStill { self.standstill.wait(action) } else { action() }
    }

    func kill() {
        self.standstill = Standstill()
        guard self.desk != nil else { return }
        self.onDying()
        self.desk = nil
        self.incarnation += 1
        self.isFlushArmed = false
        self.disk.losePower(using: &self.random, only: Machine.ledgerFile)
        for caller in self.waiting.keys.sorted() {
            let error = OutsideError(.timedOut, "\(self.name) went away before it answered")
            self.waiting.removeValue(forKey: caller)?(.failure(error))
        }
    }

    func ask(_ request: [UInt8], _ answer: @escaping (Result<[UInt8], any Error>) -> Void) {
        self.simulation.after(self.latency(), by: self.process) { [self] in
            guard self.desk != nil else {
                return answer(.failure(OutsideError(.unreachable, "\(self.name) is down")))
            }
            self.simulation.survey?.asked(self.name, now: self.simulation.now)
            self.lastCaller += 1
            let caller = self.lastCaller
            self.waiting[caller] = answer
            self.inTurn { [self] in self.handle(request, of: caller) }
        }
    }

    private func handle(_ request: [UInt8], of caller: Int) {
        let framed = OutsideFrame.request(id: UInt64(caller), body: request)
        let outputs = framed.withUnsafeBytes { raw -> [PartyOutput] in
            let body = UnsafeRawBufferPointer(rebasing: raw[4...])
            self.simulation.note(body, 3)
            self.simulation.messageCount += 1
            return self.desk?.received(body, from: caller, now: self.clock) ?? []
        }
        self.perform(outputs)
        self.flushSoon()
    }

    private func flushSoon() {
        guard !self.isFlushArmed else { return }
        self.isFlushArmed = true
        let incarnation = self.incarnation
        let time = Duration.microseconds(50 + self.random.below(100))
        self.simulation.after(time, by: self.process) { [self] in
            guard self.incarnation == incarnation else { return }
            self.inTurn { [self] in
                self.isFlushArmed = false
                self.flush()
            }
        }
    }

    private func flush() {
        let now = self.clock
        if self.desk?.needsFlush == true {
            self.simulation.survey?.synced(self.name, now: self.simulation.now)
        }
        do {
            self.perform(try self.desk?.flush(now: now) ?? [])
        } catch {
            self.kill()
            return self.onExit(.exited(code: 3))
        }
        self.perform(self.desk?.timePassed(now: now) ?? [])
        guard let due = self.desk?.nextDeadline else { return }
        let incarnation = self.incarnation
        self.simulation.at(due + (.zero - self.skew), by: self.process) { [self] in
            if self.incarnation == incarnation { self.flushSoon() }
        }
    }

    private func latency() -> Duration { .microseconds(20 + self.random.below(80)) }

    private func perform(_ outputs: [PartyOutput]) {
        for output in outputs {
            switch output {
            case .send(let caller, let framed):
                self.simulation.after(self.latency(), by: self.process) { [self] in
                    self.answered(caller, framed)
                }
            case .hangUp(let caller, let reason):
                let error = OutsideError(.timedOut, "\(self.name) hung up: \(reason)")
                self.waiting.removeValue(forKey: caller)?(.failure(error))
            }
        }
    }

    private func answered(_ caller: Int, _ framed: [UInt8]) {
        framed.withUnsafeBytes { self.simulation.note($0, 4) }
        guard let answer = self.waiting.removeValue(forKey: caller) else { return }
        let frame = framed.withUnsafeBytes { raw in
            try? OutsideFrame.parse(UnsafeRawBufferPointer(rebasing: raw[4...]))
        }
        if let frame { answer(.success(frame.body)) }
    }

    func arm(_ fault: PartyFaults.Armed) { self.desk?.arm(fault) }
    func disarm(_ fault: String) {
        self.desk?.disarm(fault)
        for standing in self.standing where standing.name == fault {
            self.desk?.arm(PartyFaults.Armed(standing))
        }
    }
    var armed: [PartyFaults.Armed] { self.desk?.armed ?? [] }
}

/// A party that services can ask.
protocol SimulatedPartyProcess: SimulatedProcess {
    func ask(_ request: [UInt8], _ answer: @escaping (Result<[UInt8], any Error>) -> Void)
    func arm(_ fault: PartyFaults.Armed)
    func disarm(_ fault: String)
    var armed: [PartyFaults.Armed] { get }
    /// Called when the process is up, and when it is about to die.
    var onUp: () -> Void { get set }
    var onDying: () -> Void { get set }
}
