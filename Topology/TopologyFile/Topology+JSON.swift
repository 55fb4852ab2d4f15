import Mesh

extension Topology {
    /// Returns the topology with every default written out.
    ///
    /// Each run folder keeps it; parsed again it is an equal topology.
    package func normalized() -> JSONValue {
        var document = JSONObject()
        document.add("name", .string(self.name))
        document.add("services", .object(self.services.map { .init($0.name, $0.json) }))
        document.add("topics", .object(self.topics.map { .init($0.name, $0.json) }))
        document.add("links", .array(self.links.map(\.json)))
        document.add("outside", .object(self.outside.map { .init($0.name, $0.json) }))
        document.add("load", self.load?.json)
        document.add("limits", self.limits.json)
        var objectives = JSONObject()
        objectives.add("orderP99", self.objectives.orderP99)
        objectives.add("readyWithin", self.objectives.readyWithin)
        objectives.add("servingAgainWithin", self.objectives.servingAgainWithin)
        document.add("objectives", objectives.json)
        var shutdown = JSONObject()
        shutdown.add("drainWithin", self.shutdown.drainWithin)
        shutdown.add("killAfter", self.shutdown.killAfter)
        document.add("shutdown", shutdown.json)
        document.add("log", ["segmentBytes": .size(self.log.segmentBytes)])
        return document.json
    }
}

/// The members of an object that is being written.
private struct JSONObject {
    private var members: [JSONValue.Member] = []

    var json: JSONValue { .object(self.members) }

    mutating func add(_ name: String, _ value: JSONValue?) {
        if let value { self.members.append(JSONValue.Member(name, value)) }
    }

    mutating func add(_ name: String, _ value: Int) {
        self.add(name, .int(Int64(value)))
    }

    mutating func add(_ name: String, _ value: Duration?) {
        self.add(name, value.map { .string($0.text) })
    }

    mutating func add(_ name: String, _ value: Ratio) {
        self.add(
            name,
            ["numerator": .int(value.numerator), "denominator": .int(value.denominator)]
        )
    }

    mutating func add(_ name: String, _ values: [String]) {
        self.add(name, .array(values.map { .string($0) }))
    }
}

extension JSONValue {
    fileprivate static func size(_ bytes: Int) -> JSONValue {
        .string(ByteSize.text(Int64(bytes)))
    }
}

extension Topology.Service {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        switch self.program {
        case .executable(let name): object.add("executable", .string(name))
        case .command(let words): object.add("command", words)
        }
        object.add("instances", self.instances)
        object.add("consumes", self.consumes)
        object.add("emits", self.emits)
        object.add("restart", self.restart.json)
        object.add("settings", self.settings)
        return object.json
    }
}

extension Topology.Restart {
    fileprivate var json: JSONValue {
        var crashLoop = JSONObject()
        crashLoop.add("count", self.crashLoopCount)
        crashLoop.add("within", self.crashLoopWithin)
        var object = JSONObject()
        object.add("policy", .string(self.policy.rawValue))
        object.add("backoffMin", self.backoffMin)
        object.add("backoffMax", self.backoffMax)
        object.add("crashLoop", crashLoop.json)
        return object.json
    }
}

extension Topology.Topic {
    fileprivate var json: JSONValue {
        var retention = JSONObject()
        retention.add("age", self.retentionAge)
        retention.add("bytes", self.retentionBytes.map { .size($0) })
        var object = JSONObject()
        object.add("partitions", self.partitions)
        object.add("sync", .string(self.sync.rawValue))
        object.add("retention", retention.json)
        object.add("types", self.types)
        object.add("recordOnly", .bool(self.recordOnly))
        return object.json
    }
}

extension Topology.Link {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object.add("from", .string(self.from))
        object.add("to", .string(self.to))
        object.add("faults", .array(self.faults.map(\.normalized)))
        return object.json
    }
}

extension Topology.LinkFault {
    fileprivate var normalized: JSONValue {
        var object = JSONObject()
        object.add("kind", .string(self.kind.rawValue))
        object.add("type", self.type.map { .string($0) })
        object.add("subject", self.subject.map { .string($0) })
        object.add("hop", .string(self.hop.rawValue))
        if self.kind != .cut, self.kind != .throttle {
            object.add("every", self.every)
            object.add("chance", self.chance)
        }
        object.add("by", self.by)
        object.add("jitter", self.jitter)
        object.add("rate", self.rate.map { .int(Int64($0)) })
        return object.json
    }
}

extension Topology.OutsideParty {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object.add("kind", .string(self.kind.rawValue))
        object.add("emits", self.emits)
        object.add("settings", self.settings)
        let faults = self.faults.map { fault in
            var object = JSONObject()
            object.add("kind", .string(fault.kind.rawValue))
            object.add("by", fault.by)
            return object.json
        }
        object.add("faults", .array(faults))
        return object.json
    }
}

extension Topology.Load {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object.add("rate", self.rate)
        object.add("ramp", self.ramp)
        if let spike = self.spike {
            var json = JSONObject()
            json.add("times", spike.times)
            json.add("at", spike.at)
            json.add("for", spike.lasts)
            object.add("spike", json.json)
        }
        object.add("products", self.products)
        object.add("warehouses", self.warehouses)
        if let hot = self.hotProducts {
            var json = JSONObject()
            json.add("share", hot.share)
            json.add("count", hot.count)
            object.add("hotProducts", json.json)
        }
        object.add("linesMax", self.linesMax)
        object.add("customers", self.customers)
        return object.json
    }
}

extension Topology.Limits {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object.add("eventBytesMax", .size(self.mesh.eventBytesMax))
        object.add("window", self.mesh.window)
        object.add("attemptsMax", self.mesh.attemptsMax)
        object.add("backoffMin", self.mesh.backoffMin)
        object.add("backoffMax", self.mesh.backoffMax)
        object.add("connectionsMax", self.mesh.connectionsMax)
        object.add("backlogMax", self.mesh.backlogMax.map { .int(Int64($0)) })
        object.add("runsKept", self.runsKept)
        object.add("logBytesMax", .size(self.logBytesMax))
        return object.json
    }
}
