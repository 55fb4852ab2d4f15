import Mesh
import Testing
import TopologyFile

@Suite struct `Problems of a topology file` {
    @Test(
        arguments: [
            // What is replaced, by what, the problem.
            (
                "consumes: [\"orders.placed\"],", "▶consume: [\"orders.placed\"],",
                "services.counter.consume: unknown key; did you mean 'consumes'?"
            ),
            (
                "restart: {policy: \"on-failure\"", "restart: {policy: ▶\"sometimes\"",
                "services.counter.restart.policy: unknown value 'sometimes': "
                    + "expected one of always, on-failure, never"
            ),
            (
                "instances: 2", "instances: ▶\"2\"",
                "services.counter.instances: expected a number, found a text; "
                    + "write it without quotes"
            ),
            (
                "instances: 2", "instances: ▶65",
                "services.counter.instances: 65 is out of range: expected a whole "
                    + "number from 1 to 64"
            ),
            (
                "instances: 2", "instances: ▶1.5",
                "services.counter.instances: expected a whole number, found one "
                    + "with a fraction"
            ),
            (
                "consumes: [\"counts\"]", "consumes: [▶\"count\"]",
                "services.printer.consumes[0]: there is no topic 'count'; "
                    + "did you mean 'counts'?"
            ),
            (
                "consumes: [\"counts\"]", "consumes: [\"counts\", ▶\"counts\"]",
                "services.printer.consumes[1]: 'counts' is named twice in this list"
            ),
            (
                "{from: \"counter\", to: \"bank\"}", "{from: \"counter\", to: ▶\"bnak\"}",
                "links[2].to: there is no service or outside party 'bnak'; "
                    + "did you mean 'bank'?"
            ),
            (
                "{from: \"counter\", to: \"bank\"}",
                "{from: \"counter\", to: \"bank\", faults: ▶[{kind: \"cut\"}]}",
                "links[2].faults: calls of an outside party take no hub, which could make them "
                    + "go wrong; give the party faults: outside.bank.faults"
            ),
            (
                "ramp: \"1s\"", "ramp: ▶1",
                "load.ramp: expected a duration; write its unit too, as in \"1ms\""
            ),
            (
                "ramp: \"1s\"", "ramp: ▶\"1 second\"",
                "load.ramp: '1 second' is no duration; write it as \"200ms\", "
                    + "\"3s\" or \"1m\""
            ),
            (
                "chance: \"1%\"", "chance: ▶0.01",
                "links[0].faults[1].chance: expected a ratio, found a number; "
                    + "write it as \"5%\""
            ),
            (
                "declines: \"5%\"", "declines: ▶\"105%\"",
                "outside.bank.settings.declines: '105%' is no ratio; "
                    + "write it as \"5%\", from 0% to 100%"
            ),
            (
                "{kind: \"cut\"}", "{kind: \"cut\", every: ▶2}",
                "links[0].faults[2].every: means nothing for a cut; leave it out"
            ),
            (
                "{kind: \"delay\", by: \"20ms\", ", "▶{kind: \"delay\", ",
                "links[0].faults[0]: a delay needs 'by', how long it takes"
            ),
            (
                "type: \"orders.placed.v1\", every", "type: ▶\"orders.place.v1\", every",
                "links[0].faults[0].type: no event of the type 'orders.place.v1' "
                    + "takes this link; did you mean 'orders.placed.v1'?"
            ),
            (
                "segmentBytes: \"1MiB\"", "segmentBytes: ▶1048576",
                "log.segmentBytes: expected a number of bytes; "
                    + "write it as \"1048576B\""
            ),
            (
                "eventBytesMax: \"64KiB\"", "eventBytesMax: ▶\"2MiB\"",
                "limits.eventBytesMax: an event of 2MiB does not fit a segment of "
                    + "1MiB; raise log.segmentBytes"
            ),
            (
                "window: 8", "window: ▶0",
                "limits.window: 0 is out of range: expected a whole number from 1 "
                    + "to 65536"
            ),
            (
                "connectionsMax: 99", "connectionsMax: ▶12",
                "limits.connectionsMax: 12 connections are too few: this topology "
                    + "needs 13"
            ),
            (
                "each: 2.5", "each: ▶NaN",
                "services.counter.settings.each: Infinity and NaN cannot be passed on"
            ),
            (
                "executable: \"Counter\"", "executable: ▶\"../Counter\"",
                "services.counter.executable: '../Counter' is no executable beside "
                    + "squall; give its name only, or use 'command' for any other program"
            ),
            (
                "printer: {command: [\"cat\", \"\"], ", "▶printer: {",
                "services.printer: nothing to run: 'executable' or 'command' is "
                    + "missing; add executable: \"Name\", or command: [\"program\", \"argument\"]"
            ),
            (
                "limits: {eventBytesMax: \"64KiB\", window: 8, attemptsMax: 3, backoffMin: \"1ms\"",
                "limits: ▶{backoffMin: \"3ms\"",
                "limits: backoffMin (3ms) is longer than backoffMax (2ms)"
            ),
            (
                "hotProducts: {share: {numerator: 2", "hotProducts: {share: ▶{numerator: 7",
                "load.hotProducts.share: 7/6 is more than the whole"
            ),
        ]
    )
    func `are told with place, key and remedy`(
        part: String,
        replacement: String,
        expected: String
    ) throws {
        #expect(try problems(replacing: part, by: replacement) == [expected])
    }

    @Test func `include links that are missing or there twice`() throws {
        let link = "{from: \"counter\", to: \"printer\"}"
        let text = sample.replacing("links: [", with: "links: ▶[").replacing("\(link),", with: "")
        #expect(
            try problems(of: text) == [
                "links: 'printer' consumes counts, which 'counter' emits, but no link leads there; "
                    + "add \(link)"
            ]
        )
        #expect(
            try problems(replacing: link, by: "\(link), ▶\(link)") == [
                "links[2]: the link from 'counter' to 'printer' is declared already, as links[1]"
            ]
        )
    }

    @Test func `come out all at once, in the order of the text`() throws {
        let text =
            sample
            .replacing("name: \"small\"", with: "name: \"Small\"")
            .replacing("emits: [\"counts\"]", with: "emits: [\"coutns\", 3]")
            .replacing("linesMax: 2", with: "linesMin: 2")
            .replacing("drainWithin: \"9s\"", with: "drainWithin: null")
        let error = try #require(throws: TopologyError.self) {
            try Topology.parse(text, file: "small.json")
        }
        #expect(
            error.problems.map { "\($0.line) \($0.path)" } == [
                "2 name", "8 services.counter.emits[0]", "8 services.counter.emits[1]",
                "36 load.linesMin", "40 shutdown.drainWithin",
            ]
        )
        #expect(error.problems[0].suggestion == "did you mean 'small'?")
        #expect(error.description.split(separator: "\n").count == 5)
    }

    @Test(
        arguments: [
            "", "Counter", "2nd", "a..b", "..", "../x", "a/b", "a b", "a.", "-a", "ünder",
            "a\u{0}b",
            String(repeating: "a", count: 65),
        ]
    )
    func `include names that are not safe to use as file names`(name: String) throws {
        let quoted = JSONValue.string(name).text
        let lines = try problems(replacing: "counts: {}", by: "counts: {}, \(quoted): {}")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("cannot name a topic") == true, "\(lines)")
        #expect(lines.first?.utf8.contains(0) == false)
    }

    @Test(arguments: ["inbox.a", "journal.counter"])
    func `include names that the hub keeps for itself`(name: String) throws {
        let lines = try problems(replacing: "counts: {}", by: "counts: {}, \"\(name)\": {}")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("are the hub's own") == true, "\(lines)")
    }

    @Test func `include topics of one service with different numbers of partitions`() throws {
        let lines = try problems(
            replacing: "printer: {command: [\"cat\", \"\"], consumes: [\"counts\"]}",
            by: "printer: {command: [\"cat\"], consumes: [\"counts\", \"orders.placed\"]}"
        )
        #expect(lines.contains { $0.contains("'counts' has 4 partitions, 'orders.placed' has 2") })
    }

    @Test func `include a name used for a service and an outside party`() throws {
        let lines = try problems(
            replacing: "bank: {kind",
            by: "▶printer: {kind: \"mail\"}, bank: {kind"
        )
        #expect(lines == ["outside.printer: a service has that name already"])
    }

    @Test func `include an event type that two topics claim`() throws {
        let lines = try problems(
            replacing: "counts: {}",
            by: "counts: {types: [\"orders.placed.v1\"]}"
        )
        #expect(lines.count == 1)
        #expect(lines.first?.contains("is the topic 'orders.placed's already") == true, "\(lines)")
    }

    @Test func `include a load that nobody places`() throws {
        let text = """
            {name: "x", services: {a: {command: ["a"], emits: ["t"]}}, 
             topics: {t: {recordOnly: true}}, links: [], load: {rate: 1}}
            """
        let error = try #require(throws: TopologyError.self) {
            try Topology.parse(text, file: "x")
        }
        #expect(error.problems.map(\.message) == ["there is nobody to place these orders"])
    }

    @Test func `include turns that emit to a topic without sync`() throws {
        let lines = try problems(replacing: "counts: {}", by: "counts: {sync: \"never\"}")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("set its sync to always") == true, "\(lines)")
    }

    @Test func `that stop nothing are warnings`() throws {
        let text =
            sample
            .replacing("counts: {}", with: "counts: {}, lonely: {}")
            .replacing(
                "{from: \"counter\", to: \"bank\"},",
                with: """
                    {from: "printer", to: "counter"},
                    """
            )
            .replacing("instances: 2", with: "instances: 3")
            .replacing("declines:", with: "declnes:")
        let topology = try Topology.parse(text, file: "small.json")
        #expect(
            topology.warnings.map { "\($0.path): \($0.message)" } == [
                "services.counter.instances: 3 instances share 2 partitions: "
                    + "1 will have nothing to do",
                "topics.lonely: nobody emits to this topic",
                "topics.lonely: nobody consumes this topic",
                "links[2]: no event can use this link: "
                    + "'counter' consumes nothing that 'printer' emits",
                "outside.bank: no link leads to this party: nobody calls it",
                "outside.bank.settings.declnes: the bank has no such setting",
            ]
        )
    }

    @Test func `warn of a topic that a command cannot emit to`() throws {
        let text = """
            {name: "x", services: {a: {command: ["a"], emits: ["s", "t"]}}, links: [],
             topics: {s: {types: ["s.v1"], recordOnly: true}, t: {recordOnly: true}}}
            """
        let topology = try Topology.parse(text, file: "x")
        #expect(topology.warnings.count == 1)
        #expect(topology.warnings[0].path == "services.a.emits[1]")
    }

    @Test func `number at most fifty lines`() throws {
        let names = (0..<200).map { "k\($0): 1" }.joined(separator: ",")
        let error = try #require(throws: TopologyError.self) {
            try Topology.parse(
                sample.replacing("name: \"small\"", with: "name: \"small\", \(names)"),
                file: "small.json"
            )
        }
        #expect(error.problems.count == 200)
        #expect(error.description.split(separator: "\n").count == 51)
        #expect(error.description.hasSuffix("… and 150 more problems"))
    }
}

@Suite struct `Suggestions` {
    @Test(
        arguments: [
            ("consume", "consumes"), ("conusmes", "consumes"), ("EMITS", "emits"),
            ("emit", "emits"),
            ("comand", "command"), ("exec", "executable"), ("xyz", nil), ("", nil), ("e", nil),
        ] as [(String, String?)]
    )
    func `find the word that was meant`(word: String, expected: String?) {
        let known = ["executable", "command", "consumes", "emits"]
        #expect(Suggestion.closest(to: word, among: known) == expected)
    }
}
