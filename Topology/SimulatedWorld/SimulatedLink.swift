import Mesh

/// A client's connection to the hub: the real bytes, in order, with latency both ways.
///
/// What was sent arrives, also where the sender is gone by then.
final class SimulatedLink {
    private let simulation: Simulation
    private let hub: SimulatedHub
    private var id: ConnectionID?
    private let name: String
    private var random: SeededRandom
    private var arrivalAtHub = Instant.zero
    private var arrivalAtClient = Instant.zero
    /// What is on its way; an action that held it would be made anew for each.
    private var toHub = Waiting<[UInt8]>()
    private var toClient = Waiting<[UInt8]>()
    /// Empty, with room for the next frames to the client.
    private var spare: [UInt8] = []
    private static let spareBytesMax = 1 << 16
    /// In whose name frames arrive at the hub, and at the client.
    private let inward: Int
    private let outward: Int
    /// Called for each frame's body.
    var onFrame: (UnsafeRawBufferPointer) -> Void = { _ in }
    /// Called once, when the hub is gone.
    var onClose: () -> Void = {}
    private var isOpen = false

    /// Creates a link of the client of that name.
    init(simulation: Simulation, hub: SimulatedHub, name: String) {
        self.simulation = simulation
        self.hub = hub
        self.name = name
        self.random = simulation.random(for: "link")
        self.inward = simulation.process("\(name) → hub")
        self.outward = simulation.process("hub → \(name)")
    }

    /// Connects; returns whether the hub was there.
    func connect() -> Bool {
        guard let id = self.hub.connect(self) else { return false }
        self.id = id
        self.isOpen = true
        self.random = self.simulation.random(for: "link \(self.name) \(id.rawValue)")
        return true
    }

    func sendToHub(_ frames: consuming [UInt8]) {
        guard self.isOpen else { return }
        self.arrivalAtHub = max(self.arrivalAtHub, self.simulation.now + self.latency())
        self.toHub.append(frames)
        self.simulation.at(self.arrivalAtHub, by: self.inward) { [self] in self.reachHub() }
    }

    private func reachHub() {
        let frames = self.toHub.takeFirst()
        guard let id = self.id else { return }
        self.eachFrame(of: frames, 1) { self.hub.received(id, $0) }
    }

    /// Takes the frames out of the array, and leaves it the memory of some that have arrived.
    func sendToClient(_ frames: inout [UInt8]) {
        guard self.isOpen else { return }
        self.arrivalAtClient = max(self.arrivalAtClient, self.simulation.now + self.latency())
        var sent: [UInt8] = []
        swap(&sent, &self.spare)
        swap(&sent, &frames)
        self.toClient.append(consume sent)
        self.simulation.at(self.arrivalAtClient, by: self.outward) { [self] in self.reachClient() }
    }

    private func reachClient() {
        var frames = self.toClient.takeFirst()
        guard self.isOpen else { return }
        self.eachFrame(of: frames, 2) { self.onFrame($0) }
        guard frames.count <= Self.spareBytesMax else { return }
        frames.removeAll(keepingCapacity: true)
        self.spare = frames
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
