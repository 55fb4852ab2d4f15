import Mesh
import Testing
import TopologyFile

@Suite struct `JSON Schema of topology files` {
    private let schema: JSONValue

    init() throws {
        self.schema = try JSONValue(parsing: try repositoryFile("Topology/topology.schema.json"))
    }

    private func definition(_ shape: Shape) -> JSONValue? {
        shape.name.isEmpty ? self.schema : self.schema["$defs"]?[shape.name]
    }

    @Test(arguments: Shape.all)
    func `has exactly the keys that the parser knows`(shape: Shape) throws {
        let definition = try #require(self.definition(shape), "no definition of \(shape.name)")
        let keys = try #require(definition["properties"]?.object).map(\.name)
        #expect(keys.sorted() == shape.keys.sorted())
        let required = definition["required"]?.array?.compactMap(\.string) ?? []
        #expect(required.sorted() == shape.required.sorted())
        #expect(definition["additionalProperties"] == false)
    }

    @Test func `defines no object that the parser does not know`() throws {
        let definitions = try #require(self.schema["$defs"]?.object)
        let objects = definitions.filter { $0.value["properties"] != nil }.map(\.name)
        #expect(objects.sorted() == Shape.all.map(\.name).filter { !$0.isEmpty }.sorted())
    }

    @Test func `refers only to what it defines, and describes what it defines`() throws {
        let definitions = try #require(self.schema["$defs"]?.object)
        let names = Set(definitions.map(\.name))
        var references: Set<String> = []
        Self.visit(self.schema) { value in
            guard let reference = value["$ref"]?.string else { return }
            references.insert(String(reference.dropFirst("#/$defs/".count)))
        }
        #expect(references.subtracting(names) == [])
        #expect(names.subtracting(references) == [])
    }

    @Test func `allows the values that the parser allows`() throws {
        let kinds: [(String, [String])] = [
            ("linkFault", Topology.LinkFault.Kind.allCases.map(\.rawValue)),
            ("partyFault", Topology.PartyFault.Kind.allCases.map(\.rawValue)),
            ("outsideParty", Topology.OutsideParty.Kind.allCases.map(\.rawValue)),
        ]
        for (name, values) in kinds {
            let kind = self.schema["$defs"]?[name]?["properties"]?["kind"]
            #expect(kind?["enum"]?.array?.compactMap(\.string) == values)
        }
        let policy = self.schema["$defs"]?["restart"]?["properties"]?["policy"]
        #expect(
            policy?["enum"]?.array?.compactMap(\.string)
                == Topology.Restart.Policy.allCases.map(\.rawValue)
        )
        let sync = self.schema["$defs"]?["topic"]?["properties"]?["sync"]
        #expect(
            sync?["enum"]?.array?.compactMap(\.string)
                == MeshLayout.SyncPolicy.allCases.map(\.rawValue)
        )
    }

    private static func visit(_ value: JSONValue, _ body: (JSONValue) -> Void) {
        body(value)
        for element in value.array ?? [] { self.visit(element, body) }
        for member in value.object ?? [] { self.visit(member.value, body) }
    }
}
