import Testing

@Suite struct `The rules find what breaks them` {
    private static let pure = "Shared/Mesh/Hub/Hub.swift"

    private func source(_ text: String, path: String = pure) -> SwiftSource {
        SwiftSource(path: path, text: text)
    }

    @Test(
        arguments: [
            ("Shared/Mesh/A.swift", "import Foundation"),
            ("Shared/Mesh/A.swift", "@preconcurrency public import Glibc"),
            ("Shared/Mesh/A.swift", "import struct Dispatch.DispatchTime"),
            ("Shared/ServiceKit/A.swift", "import MeshSocket"),
            ("Services/Orders/A.swift", "import InventoryService"),
            ("Services/Orders/A.swift", "internal import ServiceMain"),
            ("Services/Orders/Main/main.swift", "import Mesh"),
            ("Topology/Chaos/Load/A.swift", "import RealWorld"),
            ("Topology/SimulatedWorld/A.swift", "import MeshSocket"),
            ("Topology/Elsewhere/A.swift", "let a = 1"),
        ]
    )
    func `forbidden imports`(path: String, text: String) {
        #expect(Rules.forbiddenImports(in: self.source(text, path: path)).count == 1)
    }

    @Test(
        arguments: [
            ("Services/Orders/A.swift", "import Events\npublic import Mesh\nimport ServiceKit"),
            ("Services/Orders/Main/main.swift", "import OrdersService\nimport ServiceMain"),
            ("Shared/MeshSocket/A.swift", "import Glibc // import Foundation"),
            ("Shared/Mesh/A.swift", "/* import Glibc */ let text = \"import Foundation\""),
            ("Shared/Mesh/A.swift", "let text = \"\"\"\n    import Foundation\n    \"\"\""),
        ]
    )
    func `allowed imports pass`(path: String, text: String) {
        #expect(Rules.forbiddenImports(in: self.source(text, path: path)) == [])
    }

    @Test(
        arguments: [
            "let now = Date()", "id = UUID().uuidString", "let clock = ContinuousClock()",
            "try await Task.sleep(for: .seconds(1))", "Task.detached { }", "Int.random(in: 0..<9)",
            "list.shuffled()", "list.randomElement()", "var r = SystemRandomNumberGenerator()",
            "@MainActor func a() {}", "seed = name.hashValue", "print(1)", "log(\"at \\(Date())\")",
            "Bool.random()",
        ]
    )
    func `banned words in what is pure`(text: String) {
        #expect(Rules.bannedWords(in: self.source("let a = 1\n\(text)")).map(\.line) == [2])
        #expect(
            Rules.bannedWords(in: self.source(text, path: "Services/Orders/A.swift")).count == 1
        )
        #expect(Rules.bannedWords(in: self.source(text, path: "Topology/Squall/A.swift")) == [])
    }

    @Test func `work outside of turns in a service`() {
        let text = "Task { await self.work() }"
        let service = self.source(text, path: "Services/Orders/A.swift")
        #expect(Rules.bannedWords(in: service).count == 1)
        #expect(Rules.bannedWords(in: self.source(text, path: "Shared/ServiceKit/A.swift")) == [])
    }

    @Test(
        arguments: [
            "// no Date() here", "let help = \"never call UUID()\"", "self.host.random()",
            "footprint(1)", "turn.print(1)", "let raw = #\"a \"Date()\" b\"#", "EventDate()",
            "let a = \"\\(\"x\" + \"Date()\")\"",
        ]
    )
    func `words in comments, texts and longer names pass`(text: String) {
        #expect(Rules.bannedWords(in: self.source(text)) == [])
    }

    @Test func `blanking keeps every line and column`() {
        let text =
            "let a = \"x\\(b(\")\"))y\" /* /* c */ */ + d\n// e\nlet f = #\"\"\"\n g\"\n\"\"\"#; h"
        let source = self.source(text)
        #expect(source.code.count == text.utf8.count)
        #expect(source.codeLines.count == source.lines.count)
        let code = String(decoding: source.code, as: UTF8.self)
        let words = code.split(whereSeparator: \.isWhitespace)
        #expect(words == ["let", "a", "=", "b(", ")", "+", "d", "let", "f", "=", ";", "h"])
    }

    @Test func `functions that are too long`() {
        let body = String(repeating: "    work(\"}\")\n", count: 69)
        let long = "struct A {\nfunc b(\n    c: () -> Void = { },\n)\n    -> Int\n{\n\(body)}\n}"
        #expect(Rules.longFunctions(in: self.source(long)).map(\.line) == [2])
        let closure = "init() {\n\(body)}"
        #expect(Rules.longFunctions(in: self.source(closure)).map(\.line) == [1])
        let fits = "init() {\n\(String(repeating: "    work()\n", count: 68))}"
        #expect(Rules.longFunctions(in: self.source(fits)) == [])
        let requirements = "protocol P {\n    func a()\n    init()\n}\nenum B {\n\(body)}"
        #expect(Rules.longFunctions(in: self.source(requirements)) == [])
        let calls = "let a = self.init(b) ; let b = C.init\nlet d = { \n\(body)}"
        #expect(Rules.longFunctions(in: self.source(calls)) == [])
    }

    @Test func `files and lines that are too long`() {
        let lines = String(repeating: "let a = 1\n", count: 500)
        #expect(Rules.longFile(self.source(lines)) == [])
        #expect(Rules.longFile(self.source(lines + "let b = 2")).count == 1)
        let line = String(repeating: "é", count: 100)
        #expect(Rules.longLines("a", "\n\(line)\n") == [])
        #expect(Rules.longLines("a", "\n\(line)é\n").map(\.line) == [2])
    }

    @Test func `leftovers, packages and titles`() {
        #expect(Rules.leftovers("a", "// TO" + "DO later\nlet a = \"/wo" + "rk/b\"").count == 2)
        #expect(Rules.leftovers("a", "// done\nlet todo = 1") == [])
        let package = "dependencies: [.package(url: \"x\")] // .package("
        #expect(Rules.packageDependencies(in: self.source(package)).count == 1)
        #expect(Rules.titles("a", "# A\n```\n# no title\n```\n## B") == [])
        #expect(Rules.titles("a", "# A\n# B").count == 1)
        #expect(Rules.titles("a", "text").count == 1)
    }
}
