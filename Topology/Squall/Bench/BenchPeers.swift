import Glibc
import Mesh
import MeshSocket
import RealWorld
import ServiceKit

/// Publishes for the bench, with the client that any outside party has.
final class BenchPublisher {
    private var client: PublisherClient
    private let connection: FrameConnection
    private let name: String
    /// The hub has let the publisher in.
    var onReady: () -> Void = {}
    /// Events were confirmed.
    var onConfirmed: () -> Void = {}
    /// The kernel took everything that was sent.
    var onDrained: () -> Void = {}
    /// How many events are confirmed.
    private(set) var confirmed: UInt64 = 0
    private var isReady = false

    init(_ name: String, token: String, loop: EventLoop) throws(SystemError) {
        self.name = name
        self.client = PublisherClient(
            hello: Hello(role: .publisher, name: name, instance: name, token: token)
        )
        self.connection = try BenchClient.connect(loop)
        self.connection.onFrame = { [unowned self] in self.received($0) }
        self.connection.onDrained = { [unowned self] in self.onDrained() }
        self.client.connected()
        self.flush()
    }

    /// How much waits for the kernel.
    var bufferedBytes: Int { self.connection.bufferedBytes }
    var unconfirmedCount: Int { self.client.unconfirmedCount }

    /// The attributes of an event that is published about a subject.
    func envelope(of event: BenchEvent, about subject: String) -> EventEnvelope {
        event.envelope(source: self.name, subject: subject)
    }

    func publish(_ event: inout BenchEvent, _ envelope: EventEnvelope, to topic: String) {
        self.client.publish(envelope, carrying: &event, to: topic)
    }

    func flush() { self.client.sendOutput { self.connection.send($0) } }

    private func received(_ frame: UnsafeRawBufferPointer) {
        do throws(WireError) {
            for action in try self.client.received(frame) {
                switch action {
                case .accepted(let sequence): self.confirmed = sequence
                case .refused(_, let refusal), .shutOut(let refusal):
                    BenchClient.fail("\(refusal)")
                }
            }
        } catch {
            BenchClient.fail("\(error)")
        }
        if !self.isReady, self.client.isConnected {
            self.isReady = true
            self.onReady()
        }
        self.onConfirmed()
    }
}

/// The service of the bench: an actor on its loop, as every service is.
actor BenchTally {
    private nonisolated let loop: EventLoop
    /// The last event; the next one is read into its memory.
    private var event = BenchEvent()
    private var expected: Int64 = 0
    private(set) var handled: UInt64 = 0
    private(set) var gaps: UInt64 = 0
    /// Whether all events come in one order.
    private let isOrdered: Bool
    private let onEvent: (@Sendable (BenchEvent) -> Void)?

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.loop.asUnownedSerialExecutor()
    }

    init(loop: EventLoop, isOrdered: Bool, onEvent: (@Sendable (BenchEvent) -> Void)?) {
        self.loop = loop
        self.isOrdered = isOrdered
        self.onEvent = onEvent
    }

    func handle(_ data: UnsafeRawBufferPointer) throws(WireError) {
        try self.event.decode(data)
        if self.isOrdered, self.event.sequence != self.expected { self.gaps += 1 }
        self.expected = self.event.sequence + 1
        self.handled += 1
        self.onEvent?(self.event)
    }
}

/// Consumes for the bench, with the client that any service has: a projection without a snapshot.
final class BenchConsumer {
    private var client: ServiceClient
    private let connection: FrameConnection
    private let tally: BenchTally
    private let onReady: () -> Void
    private let acknowledges: Bool

    init(
        _ name: String,
        instance: String? = nil,
        token: String,
        topics: [String],
        acknowledges: Bool,
        loop: EventLoop,
        onReady: @escaping () -> Void,
        onEvent: (@Sendable (BenchEvent) -> Void)? = nil
    ) throws(SystemError) {
        self.onReady = onReady
        self.acknowledges = acknowledges
        self.client = ServiceClient(
            hello: Hello(
                role: .service,
                name: name,
                instance: instance ?? name,
                token: token,
                consumes: topics,
                isProjection: true
            )
        )
        self.tally = BenchTally(
            loop: loop,
            isOrdered: instance == nil && topics.count == 1,
            onEvent: onEvent
        )
        self.connection = try BenchClient.connect(loop)
        self.connection.onFrame = { [unowned self] in self.received($0) }
        self.client.connected()
        self.flush()
    }

    var counts: (handled: UInt64, gaps: UInt64) {
        self.tally.assumeIsolated { ($0.handled, $0.gaps) }
    }

    /// Acknowledges what was handled since the last call, where that is to be durable.
    func flush() {
        for partition in self.client.owned
        where self.acknowledges && self.client.foldedCount(partition) > 0 {
            let action = self.client.snapshotTaken(partition, TurnDecision())
            if let action { self.perform(action) }
        }
        self.connection.send(self.client.takeOutput())
    }

    private func received(_ frame: UnsafeRawBufferPointer) {
        do throws(WireError) {
            var reading = try self.client.read(frame)
            while let action = try self.client.next(&reading) { self.perform(action) }
        } catch {
            BenchClient.fail("\(error)")
        }
    }

    private func perform(_ action: ServiceClient.Action) {
        switch action {
        case .handle(let partition, let epoch, let delivery):
            self.handle(delivery)
            if let next = self.client.folded(partition, epoch: epoch, delivery) {
                self.perform(next)
            }
        case .ready: self.onReady()
        case .refused(let refusal): BenchClient.fail("\(refusal)")
        default: break
        }
    }

    private func handle(_ delivery: Delivery) {
        do throws(WireError) {
            try self.tally.confined(delivery) { tally, delivery throws(WireError) in
                try delivery.withData { data throws(WireError) in try tally.handle(data) }
            }
        } catch {
            BenchClient.fail("\(error)")
        }
    }
}
