import Chaos
import Mesh
import Testing
import TopologyFile

/// A schema for editors, and the shapes that the parser knows.
struct SchemaFile: Sendable, CustomTestStringConvertible {
    let path: String
    let shapes: [Shape]

    static let all = [
        SchemaFile(path: "Topology/topology.schema.json", shapes: Shape.all),
        SchemaFile(path: "Topology/scenario.schema.json", shapes: Shape.scenarioShapes),
    ]

    var testDescription: String { self.path }

    func schema() throws -> JSONValue { try JSONValue(parsing: try repositoryFile(self.path)) }
}

@Suite struct `JSON Schema` {
    @Test(arguments: SchemaFile.all)
    func `has exactly the keys that the parser knows`(file: SchemaFile) throws {
        let schema = try file.schema()
        for shape in file.shapes {
            let found = shape.name.isEmpty ? schema : schema["$defs"]?[shape.name]
            let definition = try #require(found, "no definition of \(shape.name)")
            let keys = try #require(definition["properties"]?.object).map(\.name)
            #expect(keys.sorted() == shape.keys.sorted(), "\(shape.name)")
            let required = definition["required"]?.array?.compactMap(\.string) ?? []
            #expect(required.sorted() == shape.required.sorted(), "\(shape.name)")
            #expect(definition["additionalProperties"] == false, "\(shape.name)")
        }
    }

    @Test(arguments: SchemaFile.all)
    func `defines no object that the parser does not know`(file: SchemaFile) throws {
        let definitions = try #require(try file.schema()["$defs"]?.object)
        let objects = definitions.filter { $0.value["properties"] != nil }.map(\.name)
        #expect(objects.sorted() == file.shapes.map(\.name).filter { !$0.isEmpty }.sorted())
    }

    @Test(arguments: SchemaFile.all)
    func `refers only to what it defines, and describes what it defines`(
        file: SchemaFile
    ) throws {
        let schema = try file.schema()
        let names = Set(try #require(schema["$defs"]?.object).map(\.name))
        var references: Set<String> = []
        Self.visit(schema) { value in
            guard let reference = value["$ref"]?.string else { return }
            references.insert(String(reference.dropFirst("#/$defs/".count)))
        }
        #expect(references.subtracting(names) == [])
        #expect(names.subtracting(references) == [])
    }

    @Test func `of topologies allows the values that the parser allows`() throws {
        let schema = try SchemaFile.all[0].schema()
        let kinds: [(String, [String])] = [
            ("linkFault", Topology.LinkFault.Kind.allCases.map(\.rawValue)),
            ("partyFault", Topology.PartyFault.Kind.allCases.map(\.rawValue)),
            ("outsideParty", Topology.OutsideParty.Kind.allCases.map(\.rawValue)),
        ]
        for (name, values) in kinds {
            #expect(Self.values(schema, name, "kind") == values)
        }
        let policies = Topology.Restart.Policy.allCases.map(\.rawValue)
        #expect(Self.values(schema, "restart", "policy") == policies)
        let syncs = MeshLayout.SyncPolicy.allCases.map(\.rawValue)
        #expect(Self.values(schema, "topic", "sync") == syncs)
    }

    @Test func `of scenarios allows the values that the parser allows`() throws {
        let schema = try SchemaFile.all[1].schema()
        #expect(Self.values(schema, "fault", "fault") == Fault.Kind.allCases.map(\.rawValue))
        #expect(Self.values(schema, "fault", "hop") == LinkFault.Hop.allCases.map(\.rawValue))
        #expect(
            Self.values(schema, "fault", "pick") == WrittenFault.Pick.allCases.map(\.rawValue)
        )
        #expect(Self.values(schema, "fault", "way") == WrittenFault.Way.allCases.map(\.rawValue))
        #expect(Self.values(schema, "operation", "do") == Operation.Kind.allCases.map(\.rawValue))
        let strategies = schema["properties"]?["strategy"]?["enum"]?.array?.compactMap(\.string)
        #expect(strategies == Scenario.Strategy.allCases.map(\.rawValue))
        let worlds = schema["properties"]?["worlds"]?["items"]?["enum"]?.array
        #expect(worlds?.compactMap(\.string) == World.allCases.map(\.rawValue))
    }

    private static func values(
        _ schema: JSONValue,
        _ definition: String,
        _ key: String
    ) -> [String]? {
        let property = schema["$defs"]?[definition]?["properties"]?[key]
        return property?["enum"]?.array?.compactMap(\.string)
    }

    private static func visit(_ value: JSONValue, _ body: (JSONValue) -> Void) {
        body(value)
        for element in value.array ?? [] { self.visit(element, body) }
        for member in value.object ?? [] { self.visit(member.value, body) }
    }
}
