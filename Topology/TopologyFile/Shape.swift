/// The keys that one kind of object in a file may have.
///
/// The parser takes its keys from here, and a test compares them with the JSON Schema.
package struct Shape: Sendable, Hashable {
    /// The name of the object's definition in the JSON Schema; empty for the document.
    package let name: String
    package let required: [String]
    package let optional: [String]

    /// All keys.
    package var keys: [String] { self.required + self.optional }

    package init(_ name: String, required: [String] = [], optional: [String] = []) {
        self.name = name
        self.required = required
        self.optional = optional
    }

    package static let document = Shape(
        "",
        required: ["name", "services", "topics", "links"],
        optional: [
            "$schema", "outside", "load", "limits", "objectives", "shutdown", "log",
        ]
    )
    package static let service = Shape(
        "service",
        optional: [
            "executable", "command", "instances", "consumes", "emits", "restart", "settings",
        ]
    )
    package static let restart = Shape(
        "restart",
        optional: ["policy", "backoffMin", "backoffMax", "crashLoop"]
    )
    package static let crashLoop = Shape("crashLoop", required: ["count", "within"])
    package static let topic = Shape(
        "topic",
        optional: ["partitions", "sync", "retention", "types", "recordOnly"]
    )
    package static let retention = Shape("retention", optional: ["age", "bytes"])
    package static let link = Shape("link", required: ["from", "to"], optional: ["faults"])
    package static let linkFault = Shape(
        "linkFault",
        required: ["kind"],
        optional: ["hop", "type", "subject", "every", "chance", "by", "jitter", "rate"]
    )
    package static let outsideParty = Shape(
        "outsideParty",
        required: ["kind"],
        optional: ["emits", "settings", "faults"]
    )
    package static let partyFault = Shape("partyFault", required: ["kind"], optional: ["by"])
    package static let load = Shape(
        "load",
        required: ["rate"],
        optional: [
            "ramp", "spike", "products", "warehouses", "hotProducts", "linesMax", "customers",
        ]
    )
    package static let spike = Shape("spike", required: ["times", "at", "for"])
    package static let hotProducts = Shape("hotProducts", required: ["share", "count"])
    package static let ratio = Shape("ratio", required: ["numerator", "denominator"])
    package static let limits = Shape(
        "limits",
        optional: [
            "eventBytesMax", "window", "attemptsMax", "backoffMin", "backoffMax",
            "connectionsMax", "backlogMax", "runsKept", "logBytesMax",
        ]
    )
    package static let objectives = Shape(
        "objectives",
        optional: ["orderP99", "readyWithin", "servingAgainWithin"]
    )
    package static let shutdown = Shape("shutdown", optional: ["drainWithin", "killAfter"])
    package static let log = Shape("log", optional: ["segmentBytes"])

    /// Every shape of a topology file.
    package static let all = [
        document, service, restart, crashLoop, topic, retention, link, linkFault, outsideParty,
        partyFault, load, spike, hotProducts, ratio, limits, objectives, shutdown, log,
    ]
}
