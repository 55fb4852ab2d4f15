import Mesh
import RealWorld
import Testing

@testable import squall

@Suite struct `Words that make no sense` {
    struct Wrong: Sendable, CustomTestStringConvertible {
        let line: String
        let message: String
        var testDescription: String { self.line }

        init(_ line: String, _ message: String) {
            self.line = line
            self.message = message
        }
    }

    @Test(arguments: [
        Wrong("kil payments", "unknown command 'kil'; did you mean 'kill'?"),
        Wrong("frobnicate", "unknown command 'frobnicate'"),
        Wrong("--json up", "the command comes first, options behind it: '--json'"),
        Wrong("bench disk", "bench: there is no bench 'disk'; there are mesh, growth and sim"),
        Wrong(
            "bench mesh --instances 2 --cons 2",
            "bench: --instances and --topics are of pub and durable with one consumer"
        ),
        Wrong("up --hsitory x", "up: unknown option '--hsitory'; did you mean '--history'?"),
        Wrong("up --for", "up: --for needs a value: --for DURATION"),
        Wrong("up --for=", "up: --for needs a value: --for DURATION"),
        Wrong("up --for --json", "up: --for needs a value before '--json'"),
        Wrong("up --for soon", "up: 'soon' is no duration; write 500ms, 5s or 2m"),
        Wrong("up --for 0s", "up: '0s' is no duration; write 500ms, 5s or 2m"),
        Wrong("up --for 5s --for 6s", "up: --for is given twice"),
        Wrong("up --json=yes", "up: --json takes no value"),
        Wrong("up --rate many", "up: --rate is a whole number from 0, not 'many'"),
        Wrong("up --rate -5", "up: --rate is a whole number from 0, not '-5'"),
        Wrong("up --seed x", "up: --seed is a whole number from 0, not 'x'"),
        Wrong("up --speed max", "up: --speed says how fast a --history is placed; there is none"),
        Wrong(
            "up --history a.csv --speed 0",
            "up: --speed is 'max' or a whole number from 1, not '0'"
        ),
        Wrong("up --for 5s --chaos 30", "up: --chaos is kills:N, such as kills:30, not '30'"),
        Wrong(
            "up --chaos kills:3",
            "up: --chaos spreads kills over a run with an end: add --for or --history"
        ),
        Wrong("up --set bank=5%", "up: --set takes NAME.KEY=VALUE, such as bank.declines=5%"),
        Wrong("up --history a --rate 5", "up: --rate and --history exclude each other"),
        Wrong("up a.json b.json", "up: unexpected 'b.json': squall up [TOPOLOGY.json]"),
        Wrong("up --color sometimes", "up: --color is one of auto, always, never, not 'sometimes'"),
        Wrong("kill", "kill: something is missing: squall kill PROCESS"),
        Wrong("scale payments many", "scale: 'many' is no number of instances"),
        Wrong("scale payments", "scale: something is missing: squall scale SERVICE N"),
        Wrong("kill payments for 3s", "kill: it takes no duration"),
        Wrong("pause mail 3s for 4s", "pause: the duration is given twice"),
        Wrong("pause mail for 4s --for 4s", "pause: the duration is given twice: --for and 'for'"),
        Wrong("pause mail 3", "pause: '3' is no duration; write 500ms, 5s or 2m"),
        Wrong("slow bank", "slow: by how much? squall slow bank 200ms"),
        Wrong("slow bank 1s --cpu 5%", "slow: a delay and --cpu exclude each other"),
        Wrong("slow bank --cpu 0%", "slow: --cpu is a share from 1% to 99%, not '0%'"),
        Wrong("heal all", "heal: 'all' is no number of a fault; see 'squall ps'"),
        Wrong("link a b dela", "link: unknown kind 'dela'; did you mean 'delay'?"),
        Wrong("link a b delay", "link: a delay needs --by, how long it takes"),
        Wrong("link a b drop --by 1s", "link: --by means nothing for a drop"),
        Wrong("link a b drop --chance 5", "link: --chance is a share such as 5%, not '5'"),
        Wrong("cut orders", "cut: something is missing: squall cut FROM TO [for DURATION]"),
        Wrong("cut a b for", "cut: unexpected 'for': squall cut FROM TO [for DURATION]"),
        Wrong("fault bank dwn", "fault: unknown kind 'dwn'; did you mean 'down'?"),
        Wrong(
            "fault bank on-fire",
            "fault: unknown kind 'on-fire'; there are down, timeout-after, answers-twice"
        ),
        Wrong("load 10", "load: '10' is no load; write x2 to x1000, or 'rate 500'"),
        Wrong("load x0", "load: 'x0' is no load; write x2 to x1000, or 'rate 500'"),
        Wrong("load rate", "load: 'rate' is followed by orders a second, from 0 to 1000000"),
        Wrong("load x2 x3", "load: unexpected 'x3': squall load x10 for 5s"),
        Wrong("dlq", "dlq: something is missing: squall dlq list | show N | redrive [N|all]"),
        Wrong("dlq lst", "dlq: unknown verb 'lst'; did you mean 'list'?"),
        Wrong("dlq show", "dlq: which one? squall dlq show N"),
        Wrong("dlq show 0", "dlq: '0' is no number of a dead letter; see 'squall dlq list'"),
        Wrong("dlq list --dry-run", "dlq: --dry-run belongs to 'dlq redrive'"),
        Wrong("rewind analytics", "rewind: where to? --to OFFSET or --ago DURATION"),
        Wrong("rewind analytics --to 1 --ago 2s", "rewind: --to and --ago exclude each other"),
        Wrong("graph --format png", "graph: --format is text, mermaid or dot, not 'png'"),
        Wrong("help kil", "unknown command 'kil'; did you mean 'kill'?"),
    ])
    func `get a message that names the word and a command that helps`(wrong: Wrong) throws {
        let error = #expect(throws: UsageError.self) {
            try Invocation(parsing: wrong.line.split(separator: " ").map(String.init))
        }
        #expect(error?.message == wrong.message)
        #expect(error?.hint.hasPrefix("squall help") == true)
    }
}

@Suite struct `Words that make sense` {
    private func parse(_ line: String) throws -> Invocation {
        try Invocation(parsing: line.split(separator: " ").map(String.init))
    }

    @Test func `values stand behind a blank or an equals sign`() throws {
        let spaced = try self.parse("up shop.json --for 20s --rate 200 --seed 7 --json")
        let joined = try self.parse("up --for=20s --rate=200 shop.json --seed=7 --json")
        #expect(spaced == joined)
        var options = UpOptions(file: "shop.json")
        options.duration = .seconds(20)
        options.rate = 200
        options.seed = 7
        #expect(spaced.command == .up(options))
        #expect(spaced.output == OutputOptions(json: true))
    }

    @Test func `a fault of a link takes the words of a topology file`() throws {
        let line =
            "link a b delay --by 20ms --jitter 5ms --hop commit --every 3 --chance 5% "
            + "--type t.v1 --subject s for 2s"
        var fault = LinkFault(kind: .delay)
        fault.by = .milliseconds(20)
        fault.jitter = .milliseconds(5)
        fault.hop = .commit
        fault.every = 3
        fault.chance = Ratio(1, 20) ?? .one
        fault.type = "t.v1"
        fault.subject = "s"
        let request = ControlRequest.link(from: "a", to: "b", fault, for: .seconds(2))
        #expect(try self.parse(line).command == .control(request))
        #expect(try ControlRequest(json: try JSONValue(parsing: request.json.text)) == request)
    }

    @Test func `power cuts are armed by option only`() throws {
        for (line, expected) in [("up --power-cuts", true), ("up", false)] {
            guard case .up(let options) = try self.parse(line).command else {
                Issue.record("no up")
                return
            }
            #expect(options.powerCuts == expected)
        }
    }

    @Test func `flaws may be repeated`() throws {
        guard case .up(let options) = try self.parse("up --flaw oversell --flaw b").command else {
            Issue.record("no up")
            return
        }
        #expect(options.flaws == ["oversell", "b"])
    }

    @Test(arguments: [
        ("kill payments", ControlRequest.kill("payments")),
        ("scale payments 3", .scale("payments", to: 3)),
        ("restart hub", .restart("hub")),
        ("roll payments", .roll("payments")),
        ("pause inventory 3s", .pause("inventory", for: .seconds(3))),
        ("pause inventory for 3s", .pause("inventory", for: .seconds(3))),
        ("pause inventory --for 3s", .pause("inventory", for: .seconds(3))),
        ("pause mail", .pause("mail", for: nil)),
        ("resume mail", .resume("mail")),
        ("slow analytics 200ms", .slow("analytics", by: .milliseconds(200), for: nil)),
        ("slow bank 1.5s for 10s", .slow("bank", by: .milliseconds(1500), for: .seconds(10))),
        ("cut orders payments", .cut(from: "orders", to: "payments", for: nil)),
        ("cut orders payments for 2m", .cut(from: "orders", to: "payments", for: .seconds(120))),
        ("fault bank timeout-after for 5s", .party("bank", .timeoutAfter, for: .seconds(5))),
        ("heal", .heal(nil)),
        ("heal 3", .heal(3)),
        ("crash-loop orders for 1s", .crashLoop("orders", for: .seconds(1))),
        ("slow orders --cpu 20%", .slowProcessor("orders", percent: 20, for: nil)),
        ("link a b cut", .link(from: "a", to: "b", LinkFault(kind: .cut), for: nil)),
        ("load x10 for 5s", .load(times: 10, for: .seconds(5))),
        ("load rate 500", .rate(500, for: nil)),
    ])
    func `faults are understood and travel as JSON`(
        line: String,
        request: ControlRequest
    ) throws {
        #expect(try self.parse(line).command == .control(request))
        #expect(try ControlRequest(json: request.json) == request)
    }

    @Test func `help is there for each command, with two examples that are understood`() throws {
        for command in CommandCatalog.all {
            #expect(try self.parse("\(command.name) --help").command == .help(command.name))
            #expect(command.examples.count >= 2, "\(command.name)")
            for example in command.examples {
                let line = example.line.split(separator: "|")[0]
                #expect(line.hasPrefix("squall \(command.name)"))
                _ = try self.parse(String(line.dropFirst("squall ".count)))
            }
            let text = HelpText.text(of: command, Style(color: false))
            #expect(!text.contains("\u{1B}"))
            for line in text.split(separator: "\n") {
                #expect(line.count <= 100, "\(line)")
            }
        }
    }

    @Test func `no words at all show the overview`() throws {
        #expect(try self.parse("").command == .help(nil))
        #expect(try self.parse("--help").command == .help(nil))
        #expect(try self.parse("--version").command == .version)
    }

    @Test func `a hub request travels as it is`() throws {
        let request = ControlRequest.hub(["do": "dead-letters", "service": "orders"])
        #expect(try ControlRequest(json: request.json) == request)
    }
}
