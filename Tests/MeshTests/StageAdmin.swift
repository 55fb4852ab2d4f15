import Mesh

/// Commands a hub on a stage.
final class StageAdmin {
    let stage: HubStage
    let id: ConnectionID
    /// What the hub announced.
    private(set) var notices: [JSONValue] = []
    var client = AdminClient(
        hello: Hello(role: .admin, name: "squall", instance: "squall", token: "secret")
    )

    init(_ stage: HubStage) {
        self.stage = stage
        self.id = stage.connect()
        self.client.connected()
    }

    /// Asks, and returns the answer.
    func ask(_ request: JSONValue) throws -> JSONValue {
        let number = self.client.ask(request)
        self.stage.send(self.client.takeOutput(), on: self.id)
        try self.stage.flush()
        var found: JSONValue?
        for frame in self.stage.take(self.id) {
            let actions = try frame.withUnsafeBytes { raw in
                try Result { () throws(WireError) in try self.client.received(raw) }.get()
            }
            for action in actions {
                switch action {
                case .answered(number, let answer): found = answer
                case .noticed(let notice): self.notices.append(notice)
                default: break
                }
            }
        }
        if let found { return found }
        throw WireError("the hub did not answer \(request.text)")
    }
}

extension StageAdmin {
    /// Returns the names of what the hub has announced since the last time.
    func takeNotices() throws -> [String] {
        self.stage.send(self.client.takeOutput(), on: self.id)
        try self.stage.flush()
        var names: [String] = []
        for frame in self.stage.take(self.id) {
            let actions = try frame.withUnsafeBytes { raw in
                try Result { () throws(WireError) in try self.client.received(raw) }.get()
            }
            for case .noticed(let notice) in actions {
                names.append(notice["notice"]?.string ?? "")
            }
        }
        return names
    }
}
