import Mesh
import Testing
import TopologyFile

@Suite struct `Topology files` {
    @Test func `the shop parses, without a warning`() throws {
        let shop = try Topology.parse(try repositoryFile("Topology/shop.json"), file: "shop.json")
        #expect(shop.warnings.map(\.description) == [])
        #expect(shop.services.map(\.name).count == 5)
        #expect(shop.service("inventory")?.settings["leadTime"] == "2s")
    }

    @Test func `the example of the README parses, without a warning`() throws {
        let readme = try repositoryFile("README.md")
        let block = try #require(readme.firstRange(of: "```json5\n"))
        let rest = readme[block.upperBound...]
        let end = try #require(rest.firstRange(of: "```"))
        let example = try Topology.parse(String(rest[..<end.lowerBound]), file: "README.md")
        #expect(example.warnings.map(\.description) == [])
    }

    @Test func `every value reaches its place`() throws {
        let topology = try Topology.parse(sample, file: "small.json")
        let counter = try #require(topology.service("counter"))
        #expect(counter.program == .executable("Counter"))
        #expect(counter.instances == 2)
        #expect(counter.restart.policy == .onFailure)
        #expect(counter.restart.backoffMin == .milliseconds(10))
        #expect(counter.restart.crashLoopCount == 3)
        #expect(counter.restart.crashLoopWithin == .seconds(4))
        #expect(counter.settings.text == #"{"each":2.5,"deep":[{"a":null},true,-1]}"#)
        #expect(topology.service("printer")?.program == .command(["cat", ""]))
        #expect(topology.topics[0].retentionAge == .seconds(2 * 86_400))
        #expect(topology.topics[0].retentionBytes == 1 << 30)
        #expect(topology.topics[1].partitions == 4)
        #expect(topology.links[0].faults.map(\.kind) == [.delay, .drop, .cut])
        #expect(topology.links[0].faults[1].chance == Ratio(1, 100))
        #expect(topology.outside[1].faults.map(\.kind) == [.slow, .timeoutAfter])
        #expect(topology.outside[1].faults[0].by == .milliseconds(1500))
        #expect(topology.load?.spike?.lasts == .seconds(5))
        #expect(topology.load?.hotProducts?.share == Ratio(1, 3))
        #expect(topology.limits.mesh.window == 8)
        #expect(topology.limits.logBytesMax == 1 << 20)
        #expect(topology.objectives.orderP99 == .milliseconds(500))
        #expect(topology.shutdown.drainWithin == .seconds(9))
        #expect(topology.log.segmentBytes == 1 << 20)
        #expect(topology.warnings == [])
    }

    @Test func `the mesh is told topics, services, publishers and event links`() throws {
        let layout = try Topology.parse(sample, file: "small.json").layout
        #expect(layout.topics.map(\.partitions) == [2, 4])
        #expect(layout.services.map(\.partitions) == [2, 4])
        #expect(layout.services[0].instances == 2)
        #expect(layout.services[0].settings["each"] == .double(2.5))
        #expect(layout.publishers == [.init(name: "shoppers", emits: ["orders.placed"])])
        #expect(
            layout.links == [
                .init(from: "shoppers", to: "counter"), .init(from: "counter", to: "printer"),
            ]
        )
        #expect(layout.limits.attemptsMax == 3)
    }

    @Test(arguments: ["sample", "shop", "bare"])
    func `the normalised file is an equal topology`(name: String) throws {
        let texts = [
            "sample": sample,
            "shop": try repositoryFile("Topology/shop.json"),
            "bare": """
            {name: "bare", services: {a: {command: ["a"], emits: ["t"]}}, topics: {t: {}},
             links: []}
            """,
        ]
        let topology = try Topology.parse(try #require(texts[name]), file: "given")
        let normalized = topology.normalized()
        let again = try Topology.parse(normalized.prettyText, file: "normalized")
        #expect(again == topology)
        #expect(again.layout == topology.layout)
        #expect(again.normalized() == normalized)
        #expect(try JSONValue(parsing: normalized.text) == normalized)
    }

    @Test func `topologies that differ in one value are not equal`() throws {
        let topology = try Topology.parse(sample, file: "small.json")
        for (part, other) in [
            ("count: 4", "count: 5"), ("each: 2.5", "each: 3"),
            ("jitter: \"5ms\"", "jitter: \"6ms\""),
            ("killAfter: \"1s\"", "killAfter: \"2s\""),
            ("share: {numerator: 2", "share: {numerator: 3"),
        ] {
            let changed = try Topology.parse(
                sample.replacing(part, with: other),
                file: "small.json"
            )
            #expect(changed != topology, "\(other)")
            #expect(changed.normalized() != topology.normalized(), "\(other)")
        }
    }

    @Test func `a text that is no JSON is refused at its place`() throws {
        let error = try #require(throws: TopologyError.self) {
            try Topology.parse("{\n  name: shop\n}", file: "shop.json")
        }
        #expect(error.description == "shop.json:2:9: expected a value, found 's'")
        let bytes = try #require(throws: TopologyError.self) {
            try Topology.parse(utf8: [0x7B, 0xFF], file: "shop.json")
        }
        #expect(bytes.description.hasPrefix("shop.json:1:2: the bytes here are not UTF-8"))
    }

    @Test(arguments: ["null", "[]", "3", "\"shop\"", "{}", "{services: 1, topics: [], links: {}}"])
    func `a document of another shape is refused`(text: String) {
        #expect(throws: TopologyError.self) { try Topology.parse(text, file: "x") }
    }
}
