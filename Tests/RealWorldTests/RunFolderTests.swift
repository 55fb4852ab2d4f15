import Glibc
import Mesh
import Testing

@testable import RealWorld

@Suite struct `Run folders` {
    private let root: String
    private let now = Instant(nanoseconds: 1_800_000_000_000_000_000)

    init() throws {
        self.root = "/tmp/squall-folders-\(getpid())-\(TokenMint.token())/.squall/runs"
        try FileSystem.makeFolders(self.root)
    }

    private func cleanUp() {
        FileSystem.removeTree(String(self.root.dropLast("/.squall/runs".count)))
    }

    /// Makes a run folder that looks used, and returns it still locked.
    private func made(_ number: Int) throws -> RunFolder {
        let started = self.now + .seconds(number)
        let folder = try RunFolder.create(in: self.root, topology: "shop", now: started)
        let record = RunRecord(id: folder.id, topology: "shop", pid: 1, started: started)
        try FileSystem.write(record.json.text, to: "\(folder.path)/\(RunFolder.Name.run)")
        try FileSystem.write("", to: "\(folder.path)/\(RunFolder.Name.hub)")
        return folder
    }

    @Test func `of the same second get numbers, and 'latest' is the last one`() throws {
        defer { self.cleanUp() }
        let first = try RunFolder.create(in: self.root, topology: "shop", now: self.now)
        let second = try RunFolder.create(in: self.root, topology: "shop", now: self.now)
        #expect(first.id.hasSuffix("-shop"))
        #expect(second.id == first.id + "-2")
        #expect(FileSystem.absolute("\(self.root)/latest") == second.path)
        #expect(RunList(root: self.root).runs.map(\.isLive) == [true, true])
    }

    @Test func `are held by one at a time, and used once`() throws {
        defer { self.cleanUp() }
        let path = "\(self.root)/mine"
        let holder = try RunFolder.create(at: path)
        let error = #expect(throws: ControlError.self) { try RunFolder.create(at: path) }
        #expect(error?.message.contains("is in use") == true)
        try FileSystem.write("x", to: "\(path)/log/00000000000000000000.log")
        holder.close()
        let used = #expect(throws: ControlError.self) { try RunFolder.create(at: path) }
        #expect(used?.message.contains("holds a run that is over") == true)
    }

    @Test func `lose their sockets and their lock when they are closed`() throws {
        defer { self.cleanUp() }
        let folder = try self.made(1)
        folder.close()
        #expect(FileSystem.names(in: folder.path) == ["ledgers", "log", "logs", "run.json"])
        #expect(RunList(root: self.root).runs.map(\.isLive) == [false])
    }

    @Test func `are pruned, the oldest first, but never one that is live`() throws {
        defer { self.cleanUp() }
        let folders = try (1...5).map(self.made)
        for folder in folders.dropFirst() { folder.close() }
        // One that a crash left its socket in.
        try FileSystem.write("", to: "\(folders[4].path)/\(RunFolder.Name.hub)")
        try FileSystem.makeFolders("\(self.root)/not-a-run/with/content")
        RunList(root: self.root).prune(keeping: 2)
        #expect(
            RunList(root: self.root).runs.map(\.id) == [
                "not-a-run", folders[0].id, folders[3].id, folders[4].id,
            ]
        )
        #expect(FileSystem.exists("\(folders[0].path)/\(RunFolder.Name.hub)"))
        #expect(!FileSystem.exists("\(folders[4].path)/\(RunFolder.Name.hub)"))
    }

    @Test func `are never left through a symbolic link when they are removed`() throws {
        defer { self.cleanUp() }
        let outside = "\(self.root)/precious"
        try FileSystem.makeFolders(outside)
        try FileSystem.write("keep", to: "\(outside)/file")
        let folder = try self.made(1)
        FileSystem.link("\(folder.path)/logs/away", to: outside)
        folder.close()
        FileSystem.removeTree(folder.path)
        #expect(!FileSystem.exists(folder.path))
        #expect(FileSystem.exists("\(outside)/file"))
    }

    @Test func `are found by id, folder and 'latest', and the only live one without a name`()
        throws
    {
        defer { self.cleanUp() }
        let list = RunList(root: self.root)
        #expect(throws: ControlError.self) { try list.run(named: "latest") }
        let first = try self.made(1)
        first.close()
        let second = try self.made(2)
        #expect(try list.run(named: first.id).path == first.path)
        #expect(try list.run(named: first.path).id == first.id)
        #expect(try list.run(named: "latest").id == second.id)
        #expect(try list.liveRun(named: nil).id == second.id)
        let over = #expect(throws: ControlError.self) { try list.liveRun(named: first.id) }
        #expect(over?.message == "\(first.id) is over")
        let third = try self.made(3)
        let several = #expect(throws: ControlError.self) { try list.liveRun(named: nil) }
        #expect(several?.message.contains("2 topologies are running") == true)
        #expect(several?.hint == "add --run \(second.id)")
        third.close()
        second.close()
        let none = #expect(throws: ControlError.self) { try list.liveRun(named: nil) }
        #expect(none?.message == "no topology is running here")
    }
}
