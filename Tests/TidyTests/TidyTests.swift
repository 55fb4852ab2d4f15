import Foundation
import Testing

@Suite struct `The repository is tidy` {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static let files = Result {
        var files = ["Package.swift", "README.md", ".ci/run"]
        for folder in ["Services", "Shared", "Tests", "Topology"] {
            let inside = try FileManager.default.subpathsOfDirectory(
                atPath: Self.root.appending(path: folder).path
            )
            files += inside.map { "\(folder)/\($0)" }
        }
        return files.filter { path in
            var isFolder: ObjCBool = false
            let full = Self.root.appending(path: path).path
            return FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }

    private let files: [String]

    init() throws {
        self.files = try Self.files.get()
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// Every Swift file, read once for all tests.
    private static let sources = Result {
        try Self.files.get().filter { $0.hasSuffix(".swift") }.map {
            SwiftSource(path: $0, text: try Self.text($0))
        }
    }

    private func sources(in folders: [String] = [""]) throws -> [SwiftSource] {
        try Self.sources.get().filter { source in
            folders.contains { source.path.hasPrefix($0) }
        }
    }

    private func expectNone(_ violations: [Violation]) {
        for violation in violations { Issue.record("\(violation)") }
    }

    @Test func `modules import what their level allows`() throws {
        let sources = try self.sources(in: ["Services/", "Shared/", "Topology/"])
        #expect(sources.count > 50)
        self.expectNone(sources.flatMap(Rules.forbiddenImports))
    }

    @Test func `what is pure has no clock, no randomness and no output of its own`() throws {
        let sources = try self.sources(in: ["Services/", "Shared/", "Topology/"])
        self.expectNone(sources.flatMap(Rules.bannedWords))
    }

    @Test func `files and functions are short`() throws {
        let sources = try self.sources()
        self.expectNone(sources.flatMap(Rules.longFile) + sources.flatMap(Rules.longFunctions))
    }

    @Test func `lines are short`() throws {
        let endings = [".swift", ".h", ".c", ".ci/run", "shop.json"]
        for path in self.files where endings.contains(where: path.hasSuffix) {
            self.expectNone(Rules.longLines(path, try Self.text(path)))
        }
    }

    @Test func `nothing is left over`() throws {
        let endings = [".swift", ".h", ".c", ".ci/run", ".json", ".md", ".html"]
        for path in self.files where endings.contains(where: path.hasSuffix) {
            self.expectNone(Rules.leftovers(path, try Self.text(path)))
        }
    }

    @Test func `pages have one title`() throws {
        for path in self.files where path.hasSuffix(".md") {
            self.expectNone(Rules.titles(path, try Self.text(path)))
        }
    }

    @Test func `there are no packages but this one`() throws {
        let package = SwiftSource(path: "Package.swift", text: try Self.text("Package.swift"))
        self.expectNone(Rules.packageDependencies(in: package))
    }

    @Test func `files are small`() throws {
        for path in self.files {
            let full = Self.root.appending(path: path).path
            let size = try FileManager.default.attributesOfItem(atPath: full)[.size] as? Int
            #expect(try #require(size) <= Rules.fileBytesMax, "\(path)")
        }
    }

    @Test func `the top level holds what belongs there`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.root.path)
        let visible = Set(names.filter { !$0.hasPrefix(".") }).subtracting(House.generated)
        #expect(visible == House.topLevel)
    }
}
