import Glibc
import Mesh
import Testing

/// `squall new service` in a copy of this project.
@Suite struct `squall new service` {
    private let folder: TestFolder
    private static let root =
        "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    private static let copied = [
        "Package.swift", "Topology/shop.json", "Tests/TidyTests/House.swift", "Services",
        "Topology/SimulatedWorld/LinkedServices.swift", "Tests/ServicesTests",
    ]

    init() throws {
        self.folder = try TestFolder()
        for path in Self.copied {
            let target = "\(self.folder.path)/\(path)"
            let parent = target.split(separator: "/").dropLast().joined(separator: "/")
            try Self.shell("mkdir -p '/\(parent)' && cp -r '\(Self.root)/\(path)' '\(target)'")
        }
    }

    @discardableResult
    private static func shell(_ line: String) throws -> Int32 {
        let status = system(line)
        guard status == 0 else { throw SquallProcess.Failure("\(line): \(status)") }
        return status
    }

    private func read(_ path: String) -> String { TestFolder.read("\(self.folder.path)/\(path)") }

    @Test func `writes a service whose types are right, and names it everywhere`() throws {
        let line = "new service gift-cards --on OrderConfirmed,payments.captured"
        let answer = try self.folder.json(line)
        #expect(answer["service"] == "gift-cards")
        #expect(answer["left"] == [])
        #expect(self.read("Package.swift").contains("\"Analytics\", \"GiftCards\","))
        #expect(self.read("Tests/TidyTests/House.swift").contains("\"GiftCards\","))
        let simulated = self.read("Topology/SimulatedWorld/LinkedServices.swift")
        #expect(simulated.contains("\nimport GiftCardsService\nimport InventoryService\n"))
        #expect(simulated.contains("        .init(GiftCards.self),\n"))
        #expect(try self.folder.squall("lint Topology/shop.json").output.contains("nothing wrong"))
        let topology = self.read("Topology/shop.json")
        #expect(topology.contains("consumes: [\"orders.ended\", \"payments.results\"]"))
        for producer in ["orders", "payments"] {
            #expect(topology.contains("{ from: \"\(producer)\", to: \"gift-cards\" },"))
        }
        #expect(topology.contains("// Who places orders"))
        try self.checkTypes("GiftCards")
    }

    /// Lets the compiler look at what was written, against the modules of this build.
    private func checkTypes(_ capability: String) throws {
        let services = "\(self.folder.path)/Services/\(capability)"
        let flags = """
            -swift-version 6 -warnings-as-errors -enable-upcoming-feature ExistentialAny \
            -enable-upcoming-feature MemberImportVisibility \
            -enable-upcoming-feature NonisolatedNonsendingByDefault \
            -module-name \(capability)Service -I '\(SquallProcess.executables)/Modules'
            """
        let out = "\(self.folder.path)/compiler.txt"
        let status = system(
            "swiftc -typecheck \(flags) '\(services)/\(capability).swift' >'\(out)' 2>&1"
        )
        #expect(status == 0, "\(TestFolder.read(out))")
        let lint = "swift format lint --strict --configuration '\(Self.root)/.swift-format'"
        let tests = "\(self.folder.path)/Tests/ServicesTests/\(capability)Tests.swift"
        let linted = system("\(lint) -r '\(services)' '\(tests)' >'\(out)' 2>&1")
        #expect(linted == 0, "\(TestFolder.read(out))")
    }

    @Test(arguments: [
        ("new service", "something is missing"),
        ("new service x", "which events does it handle?"),
        ("new thing x --on OrderPlaced", "'thing' cannot be new"),
        ("new service 7up --on OrderPlaced", "is no name for a service"),
        ("new service a/b --on OrderPlaced", "is no name for a service"),
        ("new service bank --on OrderPlaced", "means something else already"),
        ("new service x --on OrderPlacd", "did you mean 'OrderPlaced'?"),
        ("new service x --on StockOverdue", "is a timer of another service"),
        ("new service x --on OrderPlaced,orders.placed.v1", "is named twice"),
    ])
    func `ends with code 2 when it makes no sense, and writes nothing`(
        _ line: String,
        _ words: String
    ) throws {
        let before = self.read("Package.swift")
        let result = try self.folder.squall(line)
        #expect(result.code == 2)
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(self.read("Package.swift") == before)
    }

    @Test func `does not overwrite a service, and needs a project`() throws {
        let again = try self.folder.squall("new service orders --on OrderPlaced")
        #expect(again.code == 2)
        #expect(again.errors.contains("Services/Orders/Orders.swift exists already"))
        let empty = try TestFolder()
        let nowhere = try empty.squall("new service loyalty --on OrderPlaced")
        #expect(nowhere.code == 2)
        #expect(nowhere.errors.contains("no project"))
    }

    @Test func `says what to do by hand where a file has another form`() throws {
        try self.folder.write("// another package\n", to: "Package.swift")
        try self.folder.write("{ name: \"other\" }\n", to: "Topology/shop.json")
        let result = try self.folder.squall("new service loyalty --on OrderConfirmed")
        #expect(result.code == 0)
        #expect(result.output.contains("add \"Loyalty\" to capabilities in Package.swift"))
        #expect(result.output.contains("under services in Topology/shop.json, add:"))
        #expect(result.output.contains("created  Services/Loyalty/Loyalty.swift"))
        #expect(self.read("Package.swift") == "// another package\n")
    }
}
