import Mesh

/// A client's connection to the hub: the real bytes, in order, with latency both ways.
///
/// What was sent arrives, also where the sender is gone by then.
final class SimulatedLink {
    private let simulation: Simulation
    private let hub: SimulatedHub
    @exclusivity(unchecked) private var id: ConnectionID?
    @exclusivity(unchecked) private var random: SeededRandom
    @exclusivity(unchecked) private var arrivalAtHub = Instant.zero
    @exclusivity(unchecked) private var arrivalAtClient = Instant.zero
    /// In whose name frames arrive at the hub, and at the client.
    private let inward: Int
    private let outward: Int
    /// Called for each frame's body.
    @exclusivity(unchecked) var onFrame: (UnsafeRawBufferPointer) -> Void = { _ in }
    /// Called once, when the hub is gone.
    var onClose: () -> Void = {}
    @exclusivity(unchecked) private var isOpen = false

    /// Creates a link of the client of that name, its `number`-th.
    init(simulation: Simulation, hub: SimulatedHub, name: String, number: Int = 0) {
        self.simulation = simulation
        self.hub = hub
        self.random = simulation.random(for: "link \(name) \(number) \(simulation.stepCount)")
        self.inward = simulation.process("\(name) → hub")
        self.outward = simulation.process("hub → \(name)")
    }

    /// Connects; returns whether the hub was there.
    func connect() -> Bool {
        self.id = self.hub.connect(self)
        self.isOpen = self.id != nil
        return self.isOpen
    }

    func sendToHub(_ frames: [UInt8]) {
        guard self.isOpen, let id = self.id else { return }
        self.arrivalAtHub = max(self.arrivalAtHub, self.simulation.now + self.latency())
        self.simulation.at(self.arrivalAtHub, by: self.inward) { [self] in
            self.eachFrame(of: frames, 1) { self.hub.received(id, $0) }
        }
    }

    func sendToClient(_ frames: [UInt8]) {
        guard self.isOpen else { return }
        self.arrivalAtClient = max(self.arrivalAtClient, self.simulation.now + self.latency())
        self.simulation.at(self.arrivalAtClient, by: self.outward) { [self] in
            guard self.isOpen else { return }
            self.eachFrame(of: frames, 2) { self.onFrame($0) }
        }
    }

    private func latency() -> Duration { .microseconds(10 + self.random.below(60)) }

    private func eachFrame(
        of bytes: [UInt8],
        _ direction: UInt64,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        bytes.withUnsafeBytes { raw in
            self.simulation.note(raw, direction)
            var offset = 0
            while offset + 4 <= raw.count {
                let length = Int(
                    raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
                )
                let range = (offset + 4)..<(offset + 4 + length)
                self.simulation.messageCount += 1
                body(UnsafeRawBufferPointer(rebasing: raw[range]))
                offset = range.upperBound
            }
        }
    }

    /// The client dies or hangs up; the kernel tells the hub once all that was sent has arrived.
    func close() {
        self.onFrame = { _ in }
        self.onClose = {}
        guard self.isOpen else { return }
        self.isOpen = false
        guard let id = self.id else { return }
        self.simulation.at(self.arrivalAtHub, by: self.inward) { [hub] in hub.disconnected(id) }
    }

    func closedByHub() {
        guard self.isOpen else { return }
        self.isOpen = false
        self.simulation.after(.microseconds(50), by: self.outward) { [self] in
            let onClose = self.onClose
            self.onFrame = { _ in }
            self.onClose = {}
            onClose()
        }
    }
}
