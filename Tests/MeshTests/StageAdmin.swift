import Mesh

/// Commands a hub on a stage, or follows its log.
final class StageAdmin {
    let stage: HubStage
    let id: ConnectionID
    /// What the hub announced.
    private(set) var notices: [JSONValue] = []
    var client: AdminClient

    init(_ stage: HubStage, as role: ClientRole = .admin) {
        self.stage = stage
        self.id = stage.connect()
        self.client = AdminClient(
            hello: Hello(role: role, name: "squall", instance: "squall", token: "secret")
        )
        self.client.connected()
    }

    /// Sends what is to be sent, and returns what the hub then has said.
    func exchange() throws -> [AdminClient.Action] {
        self.stage.send(self.client.takeOutput(), on: self.id)
        try self.stage.flush()
        return try self.stage.take(self.id).flatMap { frame in
            try frame.withUnsafeBytes { raw in
                try Result { () throws(WireError) in try self.client.received(raw) }.get()
            }
        }
    }

    /// Asks, and returns the answer.
    func ask(_ request: JSONValue) throws -> JSONValue {
        let number = self.client.ask(request)
        var found: JSONValue?
        for action in try self.exchange() {
            switch action {
            case .answered(number, let answer): found = answer
            case .noticed(let notice): self.notices.append(notice)
            default: break
            }
        }
        if let found { return found }
        throw WireError("the hub did not answer \(request.text)")
    }

    /// Returns the names of what the hub has announced since the last time.
    func takeNotices() throws -> [String] {
        try self.exchange().compactMap { action in
            guard case .noticed(let notice) = action else { return nil }
            return notice["notice"]?.string ?? ""
        }
    }

    /// Returns how far the hub has said since the last time that the log is durable.
    func takePositions() throws -> [UInt64] {
        try self.exchange().compactMap { action in
            guard case .durable(let position) = action else { return nil }
            return position
        }
    }
}
