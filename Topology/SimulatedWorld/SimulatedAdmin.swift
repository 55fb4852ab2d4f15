import Mesh

/// What commands a simulated hub, as `squall up` commands a real one.
final class SimulatedAdmin {
    typealias Answer = (JSONValue?) -> Void

    private let simulation: Simulation
    private let hub: SimulatedHub
    private var client = AdminClient(
        hello: Hello(role: .admin, name: "squall", instance: "admin", token: "token")
    )
    private var link: SimulatedLink?
    private var waiting: [UInt64: Answer] = [:]
    private(set) var isUp = false
    var onUp: () -> Void = {}
    var onNotice: (JSONValue) -> Void = { _ in }

    init(simulation: Simulation, hub: SimulatedHub) {
        self.simulation = simulation
        self.hub = hub
    }

    func connect() {
        let link = SimulatedLink(simulation: self.simulation, hub: self.hub, name: "admin")
        guard link.connect() else {
            return self.simulation.after(.milliseconds(10)) { [weak self] in self?.connect() }
        }
        self.link = link
        link.onFrame = { [weak self] in self?.received($0) }
        link.onClose = { [weak self] in self?.lost() }
        self.client.connected()
        self.flush()
    }

    /// Asks; `answer` gets nil where the hub is not there, or goes away first.
    func ask(_ request: JSONValue, _ answer: @escaping Answer) {
        guard self.isUp else { return answer(nil) }
        self.waiting[self.client.ask(request)] = answer
        self.flush()
    }

    private func flush() {
        let frames = self.client.takeOutput()
        if !frames.isEmpty { self.link?.sendToHub(frames) }
    }

    private func received(_ frame: UnsafeRawBufferPointer) {
        for action in (try? self.client.received(frame)) ?? [] {
            switch action {
            case .welcomed:
                self.isUp = true
                self.onUp()
            case .answered(let number, let answer):
                self.waiting.removeValue(forKey: number)?(answer)
            case .noticed(let notice): self.onNotice(notice)
            case .durable, .shutOut: break
            }
        }
    }

    private func lost() {
        self.isUp = false
        self.client.disconnected()
        let waiting = self.waiting.sorted { $0.key < $1.key }
        self.waiting = [:]
        for (_, answer) in waiting { answer(nil) }
        self.connect()
    }
}
