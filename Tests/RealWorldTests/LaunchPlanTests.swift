import Mesh
import Testing
import TopologyFile

@testable import RealWorld

@Suite struct `The launch plan` {
    private func topology() throws -> Topology {
        try Topology.parse(
            """
            {
              name: "small",
              services: {
                one: { executable: "One", consumes: ["things"] },
                many: { executable: "Many", consumes: ["things"], instances: 3 },
              },
              topics: { things: { types: ["things.v1"] } },
              links: [{ from: "makers", to: "one" }, { from: "makers", to: "many" }],
              outside: {
                makers: { kind: "shoppers", emits: ["things"] },
                bank: { kind: "bank", faults: [{ kind: "slow", by: "5ms" }] },
              },
            }
            """,
            file: "small.json"
        )
    }

    private func plan() throws -> LaunchPlan {
        var number = 0
        return LaunchPlan(try self.topology(), flaws: ["oversell"]) {
            number += 1
            return "token-\(number)"
        }
    }

    @Test func `starts the hub, each instance and each outside party but the shoppers`() throws {
        let plan = try self.plan()
        #expect(plan.processes.map(\.name) == ["hub", "one", "many-1", "many-2", "many-3", "bank"])
        #expect(plan.processes.map(\.kind).filter { $0 == .service }.count == 4)
    }

    @Test func `arms power cuts at whoever keeps something on a disk`() throws {
        let plan = LaunchPlan(try self.topology(), flaws: [], powerCuts: true) { "token" }
        let line = try JSONValue(parsing: plan.processes[0].standardInput)
        #expect(line["powerCuts"] == true)
        let armed = plan.processes.filter { process in
            process.environment.contains { $0.name == "SQUALL_POWER_CUTS" }
        }
        #expect(armed.map(\.name) == ["bank"])
        let usual = try self.plan()
        #expect(try JSONValue(parsing: usual.processes[0].standardInput)["powerCuts"] == false)
        #expect(!usual.processes[5].environment.contains { $0.name == "SQUALL_POWER_CUTS" })
    }

    @Test func `gives every process a token of its own, and the hub all of them`() throws {
        let plan = try self.plan()
        #expect(Set(plan.tokens.values).count == plan.tokens.count)
        let later = ["many/many-4", "one/one-2", "one/one-3", "one/one-4"]
        #expect(
            Set(plan.tokens.keys)
                == Set(
                    later + [
                        "makers/makers", "many/many-1", "many/many-2", "many/many-3", "one/one-1",
                        "squall/admin", "squall/observer",
                    ]
                )
        )
        let line = try JSONValue(parsing: plan.processes[0].standardInput)
        for (name, token) in plan.tokens { #expect(line["tokens"]?[name]?.string == token) }
        #expect(line["flaws"] == ["oversell"])
        let told = try #require(line["topology"])
        #expect(try Topology.parse(told.text, file: "told").layout == self.topology().layout)
        let token = plan.processes[1].environment.first { $0.name == "SQUALL_TOKEN" }
        #expect(token?.value.string == plan.tokens["one/one-1"])
        #expect(!plan.processes[5].environment.contains { $0.name == "SQUALL_TOKEN" })
    }

    @Test func `gives later instances a token that the hub knows, and forgets them again`() throws {
        var plan = try self.plan()
        let service = try #require(try self.topology().service("one"))
        let topology = try self.topology()
        let added = try #require(plan.add("one-2", of: service, in: topology).first)
        #expect(added.name == "one-2")
        let token = added.environment.first { $0.name == "SQUALL_TOKEN" }?.value.string
        let line = try JSONValue(parsing: plan.processes[0].standardInput)
        #expect(token != nil && line["tokens"]?["one/one-2"]?.string == token)
        #expect(plan.instances(of: "one").map(\.instance) == ["one-1", "one-2"])
        #expect(plan.add("one-2", of: service, in: topology).isEmpty)
        #expect(try plan.processes(named: "one", in: topology).count == 2)
        plan.remove("one-2")
        #expect(plan.instances(of: "one").map(\.name) == ["one"])
    }

    @Test func `hands standing faults to an outside party`() throws {
        let faults = try self.plan().processes[5].environment.first { $0.name == "SQUALL_FAULTS" }
        #expect(faults?.value.string == #"[{"kind":"slow","by":"5ms"}]"#)
    }

    @Test func `finds a process by name or instance, and all instances by the service`() throws {
        let plan = try self.plan()
        let topology = try self.topology()
        let names = { (name: String) in
            try plan.processes(named: name, in: topology).map(\.name)
        }
        #expect(try names("one") == ["one"])
        #expect(try names("one-1") == ["one"])
        #expect(try names("many") == ["many-1", "many-2", "many-3"])
        #expect(try names("many-2") == ["many-2"])
        let error = #expect(throws: ControlError.self) { try names("bnak") }
        #expect(error?.message == "there is no process 'bnak'; did you mean 'bank'?")
        #expect(error?.isUsage == true)
        let makers = #expect(throws: ControlError.self) { try names("makers") }
        #expect(makers?.message.contains("places the orders itself") == true)
    }

    @Test func `knows the flaws that can be planted`() {
        #expect(LaunchPlan.unknownFlaw(["oversell", "charge-without-key"]) == nil)
        let error = LaunchPlan.unknownFlaw(["oversel"])
        #expect(error?.message == "there is no flaw 'oversel'; did you mean 'oversell'?")
    }
}
