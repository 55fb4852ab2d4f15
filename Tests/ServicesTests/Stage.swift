import Events
import Mesh
import OutsideParties
import Synchronization
import Testing

@testable import ServiceKit

/// Runs the jobs of one actor when it is told to, on the caller's thread.
final class StageExecutor: SerialExecutor, @unchecked Sendable {
    private let jobs = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.jobs.withLock { $0.append(job) }
    }

    /// Runs jobs until there are none.
    func run() {
        while true {
            let next = self.jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            guard let next else { return }
            next.runSynchronously(on: self.asUnownedSerialExecutor())
        }
    }

    func checkIsolated() {}
    func isIsolatingCurrentContext() -> Bool? { true }
}

/// A host with a bank and a mail relay behind it, and a clock that the test sets.
final class StageHost: Host, @unchecked Sendable {
    let jobs = StageExecutor()
    let service: String
    let partition = 2
    let partitions = 4
    let settings: JSONValue
    let flaws: Flaws
    var time = Instant.zero
    private var source = SeededRandom(seed: 7)
    private(set) var lines: [String] = []
    private(set) var bank: [BankLedger.Entry] = []
    private(set) var mail: [MailLedger.Entry] = []
    /// How the next calls go wrong, in their order: before the party acted, or after.
    var failures: [OutsideError.Code] = []
    private var bankMachine: BankMachine
    private var mailMachine = MailRelayMachine()

    init(
        service: String,
        settings: JSONValue = .object([]),
        flaws: [Flaw] = [],
        declines: Ratio = .zero
    ) {
        self.service = service
        self.bankMachine = BankMachine(declines: declines)
        self.settings = settings
        self.flaws = Flaws(names: Set(flaws.map(\.rawValue)))
    }

    var executor: UnownedSerialExecutor { self.jobs.asUnownedSerialExecutor() }
    func now() -> Instant { self.time }
    func random() -> UInt64 { self.source.next() }
    func log(_ level: LogLevel, _ message: String) { self.lines.append("\(level): \(message)") }
    func sleep(for duration: Duration) async throws {}

    func call(_ party: String, _ request: [UInt8], timeout: Duration) async throws -> [UInt8] {
        let failure = self.failures.isEmpty ? nil : self.failures.removeFirst()
        if failure == .unreachable { throw OutsideError(.unreachable, "nobody is there") }
        let answer: [UInt8]
        if party == Bank.name {
            let result = try self.bankMachine.answer(request, now: self.time)
            self.bank += result.entries
            answer = result.answer
        } else {
            let result = try self.mailMachine.answer(request, now: self.time)
            self.mail += result.entries
            answer = result.answer
        }
        if failure == .timedOut { throw OutsideError(.timedOut, "no answer") }
        return failure == .malformed ? [0xFF] : answer
    }
}

/// What came of a delivery.
struct StageOutcome {
    var emitted: [EventEnvelope] = []
    var timersSet: [TimerRequest] = []
    var timersCancelled: [String] = []
    var failure: String?

    /// Takes over what was decided, as the hub reads it in a commit.
    mutating func read(_ decision: TurnDecision) {
        var writer = WireWriter()
        Commit(partition: 0, epoch: 1, sequence: 1)
            .encode(acknowledging: [], decision, into: &writer)
        let failure = writer.bytes.withUnsafeBytes { frame -> (any Error)? in
            do {
                // The body follows the frame's length and kind.
                var reader = WireReader(frame, offset: 5)
                let commit = try CommitView(from: &reader)
                self.emitted = try commit.emitted.map { try EventEnvelope(decoding: $0.envelope) }
                self.timersSet = try commit.timersSet.map {
                    let event = try EventEnvelope(decoding: $0.envelope)
                    return TimerRequest(name: $0.name, due: $0.due, event: event)
                }
                self.timersCancelled = commit.timersCancelled
                return nil
            } catch {
                return error
            }
        }
        if let failure { self.failure = "what was decided cannot be read: \(failure)" }
    }

    /// The emitted events of one type.
    func events<E: Event>(_ type: E.Type) throws -> [E] {
        try self.emitted.filter { $0.type == type.type }.map { try E(decoding: $0.data) }
    }
}

/// One actor and its host; delivers events to it as the runtime does.
struct Stage<S: Service> {
    let host: StageHost
    let service: S

    typealias Outcome = StageOutcome
    init(_ host: StageHost) {
        self.host = host
        self.service = S(host: host)
    }

    init(settings: JSONValue = .object([]), flaws: [Flaw] = []) {
        self.init(StageHost(service: S.name, settings: settings, flaws: flaws))
    }

    /// Handles the event; fails where the service has no handler for its type.
    func deliver<E: Event>(_ event: E, attempt: Int = 1) throws -> Outcome {
        let envelope = EventEnvelope(
            id: EventID(high: 1, low: StableHash.of("\(E.type) \(event.subject)")),
            source: "test",
            type: E.type,
            subject: event.subject,
            time: self.host.time,
            trace: TraceContext(traceHigh: 1, traceLow: 2, span: 3),
            causation: .none,
            correlation: event.subject,
            data: event.encoded()
        )
        return try #require(self.handle(envelope, attempt: attempt))
    }

    /// Handles the event; nil where the service has no handler for its type.
    func handle(_ envelope: EventEnvelope, attempt: Int) -> Outcome? {
        guard let subscription = S.consumes.first(where: { $0.type == envelope.type }) else {
            return nil
        }
        let outcome = Recorder()
        let delivery = Delivery(topic: 0, offset: 0, attempt: attempt, event: envelope)
        let desk = TurnDesk<S>()
        desk.onDecision = { _ in outcome.value.read(desk.decision) }
        let turn = Turn<S>(delivery, service: self.service, at: desk)
        switch subscription.handler {
        case .immediate(let body):
            do {
                try self.service.assumeIsolated { try body($0, envelope.data, turn) }
            } catch {
                outcome.value.failure = "\(error)"
            }

        case .suspending(let body):
            self.service.assumeIsolated { service in
                service.run(body, turn) { outcome.value.failure = $0.map { "\($0)" } }
            }
            self.host.jobs.run()
        }
        return outcome.value
    }

    private final class Recorder: @unchecked Sendable {
        var value = Outcome()
    }

    /// The names of the types whose handlers never suspend.
    static var immediate: [String] {
        S.consumes.compactMap { subscription in
            if case .immediate = subscription.handler { return subscription.type }
            return nil
        }
    }
}

extension Service {
    /// Starts a handler that may suspend; it goes on whenever the executor is run.
    fileprivate func run(
        _ body: @escaping Subscription<Self>.Suspending,
        _ turn: Turn<Self>,
        _ done: @escaping @Sendable ((any Error)?) -> Void
    ) {
        Task {
            do {
                try await body(self, turn.event.data, turn)
                done(nil)
            } catch {
                done(error)
            }
        }
    }
}
