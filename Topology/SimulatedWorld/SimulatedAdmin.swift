import Mesh

/// Who commands the hub in the simulated world, over a link like everyone else's.
final class SimulatedAdmin {
    private let simulation: Simulation
    private let hub: SimulatedHub
    private var client = AdminClient(
        hello: Hello(role: .admin, name: "squall", instance: "squall", token: SimulatedShop.token)
    )
    private var link: SimulatedLink?
    private var isWelcome = false
    private var waiting: [UInt64: (JSONValue) -> Void] = [:]
    /// Called when the hub can be commanded, again after each loss of the connection.
    var onReady: () -> Void = {}
    /// Called when the connection is gone; open questions have no answer any more.
    var onLost: () -> Void = {}
    /// Called with what the hub announces.
    var onNotice: (JSONValue) -> Void = { _ in }
    /// Whether a connection is wanted at all.
    var isNeeded = false

    init(simulation: Simulation, hub: SimulatedHub) {
        self.simulation = simulation
        self.hub = hub
    }

    func connect() {
        guard self.isNeeded else { return }
        let link = SimulatedLink(simulation: self.simulation, hub: self.hub, name: "squall")
        guard link.connect() else {
            return self.simulation.after(.milliseconds(10)) { [weak self] in self?.connect() }
        }
        self.link = link
        link.onFrame = { [weak self] in self?.received($0) }
        link.onClose = { [weak self] in
            guard let self else { return }
            self.isWelcome = false
            self.waiting = [:]
            self.client.disconnected()
            self.onLost()
            self.connect()
        }
        self.client.connected()
        self.send()
    }

    /// Whether a command would reach the hub now.
    var isReady: Bool { self.isWelcome }

    /// Sends a command; `answer` is not called where the connection ends before.
    func ask(_ request: JSONValue, _ answer: @escaping (JSONValue) -> Void) {
        let number = self.client.ask(request)
        self.waiting[number] = answer
        self.send()
    }

    private func received(_ frame: UnsafeRawBufferPointer) {
        for action in (try? self.client.received(frame)) ?? [] {
            switch action {
            case .welcomed:
                self.isWelcome = true
                self.onReady()
            case .answered(let number, let answer):
                self.waiting.removeValue(forKey: number)?(answer)
            case .noticed(let notice): self.onNotice(notice)
            case .durable, .shutOut: break
            }
        }
    }

    private func send() {
        let frames = self.client.takeOutput()
        if !frames.isEmpty { self.link?.sendToHub(frames) }
    }
}
