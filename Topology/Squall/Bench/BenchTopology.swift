import Mesh
import RealWorld
import TopologyFile

/// The topologies that the bench of the mesh launches: publishers, one topic or two, consumers.
extension MeshBench {
    /// Returns the topology for one kind of work.
    static func topology(_ options: BenchMeshOptions) throws(ControlError) -> Topology {
        let isRequests = options.work == .rtt
        let topics =
            isRequests ? [BenchEvent.topic, "replies"] : BenchEvent.topics(options.topics)
        let publishers = isRequests ? ["producer", "responder"] : ["producer"]
        let consumers = isRequests ? 2 : options.work == .confirm ? 0 : options.consumers
        let source = { (number: Int) in isRequests ? number : 0 }
        let topicsOf = { (number: Int) in
            JSONValue.array((isRequests ? [topics[number]] : topics).map { .string($0) })
        }
        let document: JSONValue = [
            "name": "bench",
            "topics": .object(topics.map { .init($0, self.topic(options, consumers)) }),
            "outside": .object(
                publishers.enumerated().map { number, name in
                    .init(name, ["kind": "shoppers", "emits": topicsOf(number)])
                }
            ),
            "services": .object(
                (0..<max(1, consumers)).map { number in
                    let consumed = consumers == 0 ? [] : topicsOf(source(number))
                    return .init(
                        "consumer-\(number)",
                        ["command": ["squall"], "consumes": consumed]
                    )
                }
            ),
            "links": .array(
                (0..<consumers).map { number in
                    [
                        "from": .string(publishers[source(number)]),
                        "to": .string("consumer-\(number)"),
                    ]
                }
            ),
            "limits": [
                "window": 4096,
                "eventBytesMax": .string("\(max(1 << 20, options.size + 4096))B"),
            ],
            "log": ["segmentBytes": "16MiB"],
        ]
        do {
            return try Topology.parse(document.text, file: "bench.json")
        } catch {
            throw ControlError("the bench's own topology is wrong: \(error)")
        }
    }

    /// What everybody has read of the log goes, so that a long run needs no large disk.
    private static func topic(_ options: BenchMeshOptions, _ consumers: Int) -> JSONValue {
        [
            "partitions": options.instances > 1 ? 128 : 1,
            "sync": options.work.isDurable ? "always" : "never",
            "retention": ["bytes": "64MiB"],
            "recordOnly": .bool(consumers == 0),
        ]
    }
}
