import Glibc
import Mesh
import MeshSocket
import RealWorld

/// A process of `squall bench` that publishes or consumes; squall starts itself as one.
///
/// Words: role, its number among the clients, the token, the number of consuming processes, the
/// size in bytes, the window, the rate, the number of topics and of instances.
final class BenchClient {
    /// The word that makes squall a client of its bench.
    static let word = "bench-client"

    enum Role: String {
        /// As many as the consumers keep up with.
        case producer
        /// No more than the window unconfirmed.
        case confirmedProducer
        /// At a rate.
        case pacer
        /// One unconfirmed.
        case confirmer
        case consumer, timingConsumer, durableConsumer, durableTimingConsumer
        /// One request under way.
        case requester
        case responder
        /// Puts a fault that never strikes on each link.
        case armer
        /// Reads the log as it grows.
        case observer
    }

    struct Setting {
        var role: Role
        var number: Int
        var token: String
        var consumers: Int
        var size: Int
        var window: Int
        var rate: Int
        var topics: Int
        var instances: Int

        /// The tokens of the consumer and of the publisher, where the client is both.
        var tokens: [String] { self.token.split(separator: ",").map(String.init) }

        var words: [String] {
            let numbers = [
                self.consumers, self.size, self.window, self.rate, self.topics, self.instances,
            ]
            return [BenchClient.word, self.role.rawValue, "\(self.number)", self.token]
                + numbers.map { "\($0)" }
        }

        init(_ role: Role, number: Int, token: String, _ options: BenchMeshOptions) {
            self.role = role
            self.number = number
            self.token = token
            self.consumers = options.processes
            self.size = options.size
            self.window = options.window
            self.rate = options.rate
            self.topics = options.topics
            self.instances = options.instances
        }

        init?(_ words: [String]) {
            let numbers = words.dropFirst(3).compactMap { Int($0) }
            guard words.count == 9, numbers.count == 6, let role = Role(rawValue: words[0]),
                let number = Int(words[1])
            else { return nil }
            var options = BenchMeshOptions()
            (options.consumers, options.size, options.window) = (numbers[0], numbers[1], numbers[2])
            (options.rate, options.topics, options.instances) = (numbers[3], numbers[4], numbers[5])
            self.init(role, number: number, token: words[2], options)
        }
    }

    /// How far a producer may be ahead of the slowest consumer, in bytes of volatile events: less
    /// than the hub keeps of them, so that none is lost.
    private static let lagBytes = 3 << 20
    private static let confirmedLagMax = 50_000
    private static let confirmedLagBytes = 256 << 20
    /// How much is published before the loop turns.
    private static let turnBytes = 64 * 1024

    private let setting: Setting
    private let board: BenchBoard
    private let loop: EventLoop
    private var publisher: BenchPublisher?
    private var consumer: BenchConsumer?
    private var watcher: BenchWatcher?
    /// What is published, but for its number and times.
    private let event: BenchEvent
    private let topics: [String]
    private let subjects: [String]
    private var sequence: Int64 = 0
    private var began: Int64 = 0
    private var isStepping = false
    private var endingSince: Int64 = 0

    /// Runs a client until the measurement ends; returns the exit code.
    static func run(_ words: [String]) -> Int32 {
        guard let setting = Setting(words) else {
            return Tool.run(["help"])
        }
        do {
            let client = try BenchClient(setting)
            try client.loop.run()
            return ExitCode.held
        } catch {
            self.fail("\(error)")
        }
    }

    /// Connects to the measured hub, without which a client ends.
    static func connect(_ loop: EventLoop) throws(SystemError) -> FrameConnection {
        let connection = try FrameConnection.connect(
            to: "hub.sock",
            loop: loop,
            frameBytesMax: Frame.bodyBytesMax
        )
        connection.onClose = { Self.fail("the hub is gone: \($0)") }
        return connection
    }

    static func fail(_ message: String) -> Never {
        Terminal().complain("bench: \(message)", hint: nil)
        exit(ExitCode.couldNotRun)
    }

    private init(_ setting: Setting) throws {
        self.setting = setting
        self.board = try BenchBoard(creating: false)
        self.loop = try EventLoop()
        self.event = BenchEvent(filling: setting.size)
        self.topics = BenchEvent.topics(setting.topics)
        self.subjects = BenchEvent.subjects(setting.instances > 1 ? 1024 : 1)
        switch setting.role {
        case .producer, .confirmedProducer, .pacer, .confirmer:
            try self.startPublisher("producer")
            self.publisher?.onReady = { [unowned self] in self.awaitStart() }
        case .consumer, .timingConsumer, .durableConsumer, .durableTimingConsumer:
            try self.startConsumer()
        case .requester: try self.startRequester()
        case .responder: try self.startResponder()
        case .armer, .observer:
            self.watcher = try BenchWatcher(
                arms: setting.role == .armer,
                token: setting.token,
                loop: self.loop
            ) { [unowned self] in self.board.setReady(self.setting.number) }
        }
        self.loop.afterEvents = { [unowned self] in self.afterEvents() }
        self.watchEnd()
    }

    private func startPublisher(_ name: String) throws(SystemError) {
        let token = self.setting.tokens.last ?? ""
        self.publisher = try BenchPublisher(name, token: token, loop: self.loop)
    }

    private func startConsumer() throws(SystemError) {
        let board = Confined(self.board)
        var onEvent: (@Sendable (BenchEvent) -> Void)?
        let role = self.setting.role
        if role == .timingConsumer || role == .durableTimingConsumer {
            onEvent = { event in
                let now = Stopwatch.now()
                board.value.sample(now - event.sent, scheduled: now - event.scheduled)
            }
        }
        let isInstance = self.setting.instances > 1
        self.consumer = try BenchConsumer(
            isInstance ? "consumer-0" : "consumer-\(self.setting.number)",
            instance: isInstance ? "consumer-0-\(self.setting.number)" : nil,
            token: self.setting.tokens.first ?? "",
            topics: self.topics,
            acknowledges: role == .durableConsumer || role == .durableTimingConsumer,
            loop: self.loop,
            onReady: { [unowned self] in self.board.setReady(self.setting.number) },
            onEvent: onEvent
        )
    }

    // MARK: Requests

    private func startRequester() throws(SystemError) {
        try self.startPublisher("producer")
        let client = Confined(self)
        self.consumer = try BenchConsumer(
            "consumer-1",
            token: self.setting.tokens.first ?? "",
            topics: ["replies"],
            acknowledges: false,
            loop: self.loop,
            onReady: { [unowned self] in self.awaitStart() },
            onEvent: { client.value.replied($0) }
        )
        self.publisher?.onReady = {}
    }

    private func startResponder() throws(SystemError) {
        try self.startPublisher("responder")
        let client = Confined(self)
        self.consumer = try BenchConsumer(
            "consumer-0",
            token: self.setting.tokens.first ?? "",
            topics: self.topics,
            acknowledges: false,
            loop: self.loop,
            onReady: { [unowned self] in self.board.setReady(self.setting.number) },
            onEvent: { event in
                guard let publisher = client.value.publisher else { return }
                var reply = event
                let envelope = publisher.envelope(of: reply, about: reply.subject)
                publisher.publish(&reply, envelope, to: "replies")
                publisher.flush()
            }
        )
    }

    private func replied(_ event: BenchEvent) {
        self.board.sample(Stopwatch.now() - event.sent, scheduled: 0)
        self.board.setHandled(0, UInt64(event.sequence) + 1)
        if self.board[.end] == 0 { self.loop.soon { [unowned self] in self.sendOne() } }
    }

    private func sendOne() {
        let now = Stopwatch.now()
        self.send(1, at: now, scheduled: now)
        self.publisher?.flush()
    }

    /// Publishes so many events.
    private func send(_ count: Int, at now: Int64, scheduled: Int64) {
        guard let publisher = self.publisher else { return }
        var event = self.event
        event.sent = now
        event.scheduled = scheduled
        var envelope = publisher.envelope(of: event, about: self.subjects[0])
        for _ in 0..<count {
            let turn = Int(self.sequence)
            event.sequence = self.sequence
            self.sequence += 1
            if self.subjects.count > 1 {
                let subject = self.subjects[turn % self.subjects.count]
                envelope = publisher.envelope(of: event, about: subject)
            } else {
                envelope.id = event.id
                envelope.trace = TraceContext(startedBy: envelope.id)
            }
            publisher.publish(&event, envelope, to: self.topics[turn % self.topics.count])
        }
    }

    // MARK: Course

    /// Publishes once the board says so.
    private func awaitStart() {
        self.board.setReady(self.setting.number)
        guard self.board[.begin] == 1 else {
            self.later(200_000) { $0.awaitStart() }
            return
        }
        self.began = Stopwatch.now() + 1_000_000
        switch self.setting.role {
        case .producer, .confirmedProducer:
            self.publisher?.onConfirmed = { [unowned self] in self.stepSoon() }
            self.publisher?.onDrained = { [unowned self] in self.stepSoon() }
            self.step()
        case .confirmer:
            self.publisher?.onConfirmed = { [unowned self] in self.confirmedOne() }
            self.began = Stopwatch.now()
            self.sendOne()
        case .pacer: self.pace()
        default: self.sendOne()
        }
    }

    private func later(_ nanoseconds: Int64, _ action: @escaping (BenchClient) -> Void) {
        self.loop.timer(at: self.loop.now() + .nanoseconds(nanoseconds)) { [unowned self] in
            action(self)
        }
    }

    private func stepSoon() {
        guard !self.isStepping else { return }
        self.isStepping = true
        self.loop.soon { [unowned self] in
            self.isStepping = false
            self.step()
        }
    }

    /// Publishes a turn's worth, as far as window and consumers allow.
    private func step() {
        guard let publisher = self.publisher, self.board[.end] == 0 else { return }
        self.board[.confirmed] = publisher.confirmed
        // What the kernel has not taken must not pile up; it calls when it has.
        guard publisher.bufferedBytes == 0 else { return }
        let isConfirmed = self.setting.role == .confirmedProducer
        let eventBytes = self.setting.size + 128
        let lag =
            isConfirmed
            ? min(Self.confirmedLagMax, Self.confirmedLagBytes / eventBytes)
            : Self.lagBytes / eventBytes
        let handled = (0..<self.setting.consumers).map { self.board.handled($0) }
        let slowest = self.setting.instances > 1 ? handled.reduce(0, +) : handled.min() ?? 0
        let turn = max(1, Self.turnBytes / (self.setting.size + 32))
        var count = min(turn, Int(slowest) + lag - Int(self.sequence))
        let isWindowFull = isConfirmed && publisher.unconfirmedCount >= self.setting.window
        if isConfirmed { count = min(count, self.setting.window - publisher.unconfirmedCount) }
        guard count > 0 else {
            // A full window ends with the next confirmation.
            if !isWindowFull { self.later(50_000) { $0.stepSoon() } }
            return
        }
        let now = Stopwatch.now()
        self.send(count, at: now, scheduled: now)
        publisher.flush()
        self.board[.sent] = UInt64(self.sequence)
        self.stepSoon()
    }

    private func confirmedOne() {
        guard let publisher = self.publisher, publisher.unconfirmedCount == 0 else { return }
        let now = Stopwatch.now()
        self.board.sample(now - self.began, scheduled: 0)
        self.board.setHandled(0, publisher.confirmed)
        guard self.board[.end] == 0 else { return }
        self.began = now
        self.sendOne()
    }

    private func pace() {
        guard self.board[.end] == 0 else { return }
        let gap = 1_000_000_000 / Int64(self.setting.rate)
        var now = Stopwatch.now()
        while self.began + self.sequence * gap <= now {
            self.send(1, at: now, scheduled: self.began + self.sequence * gap)
            self.publisher?.flush()
            now = Stopwatch.now()
        }
        self.board[.sent] = UInt64(self.sequence)
        self.later(self.began + self.sequence * gap - now) { $0.pace() }
    }

    private func afterEvents() {
        guard let consumer = self.consumer else { return }
        consumer.flush()
        guard self.setting.role != .requester, self.setting.role != .responder else { return }
        let counts = consumer.counts
        self.board.setHandled(self.setting.number, counts.handled)
        self.board.setGaps(self.setting.number, counts.gaps)
    }

    /// Ends the process some time after the measurement, so that all that was sent arrives.
    private func watchEnd() {
        self.later(20_000_000) { client in
            if client.board[.end] == 1, client.board[.isFinal] == 1 { return client.loop.stop() }
            client.watchEnd()
        }
    }
}

/// Lets a closure that stays on its loop hold what is confined to it.
struct Confined<Value: AnyObject>: @unchecked Sendable {
    unowned let value: Value

    init(_ value: Value) { self.value = value }
}
