import Glibc
import Mesh
import MeshSocket
import TestSupport
import Testing

struct FolderDiskTests {
    let folder: TemporaryFolder
    let disk: FolderDisk

    init() throws {
        self.folder = try TemporaryFolder()
        self.disk = try FolderDisk(folder: self.folder.file("log"))
    }

    @Test func `what was appended is read back, also by another reader while it grows`() throws {
        try self.disk.append([1, 2, 3], to: "a")
        let reader = try FolderDisk(folder: self.disk.folder, create: false)
        #expect(try reader.read("a", at: 0, count: 10) == [1, 2, 3])
        try self.disk.append([4, 5], to: "a")
        #expect(try reader.size(of: "a") == 5)
        #expect(try reader.read("a", at: 2, count: 2) == [3, 4])
        #expect(try reader.read("a", at: 4, count: 10) == [5])
        #expect(try reader.read("a", at: 5, count: 10) == [])
        #expect(try reader.read("a", at: 900, count: 10) == [])
    }

    @Test func `files are listed in order and a missing one is empty`() throws {
        for name in ["b", "c", "a"] { try self.disk.append([0], to: name) }
        #expect(try self.disk.list() == ["a", "b", "c"])
        #expect(try self.disk.size(of: "missing") == 0)
        #expect(try self.disk.read("missing", at: 0, count: 4) == [])
        try self.disk.sync("missing")
        #expect(try self.disk.list() == ["a", "b", "c"])
    }

    @Test func `a torn tail is cut off, and appending goes on from there`() throws {
        try self.disk.append([1, 2, 3, 4], to: "a")
        try self.disk.sync("a")
        try self.disk.truncate("a", to: 2)
        #expect(try self.disk.size(of: "a") == 2)
        try self.disk.append([9], to: "a")
        try self.disk.sync("a")
        #expect(try self.disk.read("a", at: 0, count: 8) == [1, 2, 9])
    }

    @Test func `a file that is overwritten ends where it is written, with zeros behind`() throws {
        try self.disk.append(Array(1...60), to: "a")
        try self.disk.sync("a")
        try self.disk.rewind("a")
        #expect(try self.disk.size(of: "a") == 0)
        try self.disk.append([100, 101], to: "a")
        try self.disk.append([102], to: "a")
        try self.disk.sync("a")
        try self.disk.append([7], to: "b")
        try self.disk.rename("a", to: "b")
        #expect(try self.disk.list() == ["b"])
        #expect(try self.disk.size(of: "b") == 3)
        try self.disk.append([103], to: "b")
        let behind = [UInt8](repeating: 0, count: FolderDisk.endMarkBytes) + Array(21...60)
        let reader = try FolderDisk(folder: self.disk.folder, create: false)
        #expect(try reader.read("b", at: 0, count: 90) == [100, 101, 102, 103] + behind)
        try self.disk.truncate("b", to: 4)
        try self.disk.append([104], to: "b")
        #expect(try reader.read("b", at: 0, count: 90) == [100, 101, 102, 103, 104])
        // The zeros may lie behind the old end, too.
        try self.disk.rewind("b")
        try self.disk.append(Array(1...5), to: "b")
        try self.disk.append(Array(6...9), to: "b")
        #expect(try self.disk.size(of: "b") == 9)
        #expect(try reader.read("b", at: 0, count: 9) == Array(1...9))
    }

    @Test func `reserved room is behind the end, and is given back by a cut`() throws {
        try self.disk.append([1, 2, 3], to: "a")
        try self.disk.sync("a")
        let before = self.blocks("a")
        try self.disk.reserve("a", upTo: 1 << 20)
        #expect(try self.disk.size(of: "a") == 3)
        let reserved = self.blocks("a")
        #expect(reserved == before || reserved >= 2048, "nothing or all of it: \(reserved)")
        try self.disk.append([4], to: "a")
        #expect(try self.disk.read("a", at: 0, count: 9) == [1, 2, 3, 4])
        #expect(self.blocks("a") == reserved)
        try self.disk.reserve("a", upTo: 2)
        try self.disk.truncate("a", to: 4)
        #expect(try self.disk.read("a", at: 0, count: 9) == [1, 2, 3, 4])
        #expect(self.blocks("a") <= before)
        try self.disk.reserve("new", upTo: 4096)
        #expect(try self.disk.list() == ["a", "new"])
    }

    /// How many blocks of 512 bytes a file takes.
    private func blocks(_ name: String) -> Int {
        var status = stat()
        return stat("\(self.disk.folder)/\(name)", &status) == 0 ? Int(status.st_blocks) : -1
    }

    @Test func `a removed file is gone and its name can be used again`() throws {
        try self.disk.append([1, 2], to: "a")
        try self.disk.remove("a")
        try self.disk.remove("a")
        #expect(try self.disk.list() == [])
        #expect(try self.disk.size(of: "a") == 0)
        try self.disk.append([3], to: "a")
        #expect(try self.disk.read("a", at: 0, count: 8) == [3])
    }

    @Test func `more files than are kept open at a time all keep their bytes`() throws {
        for round in 0..<2 {
            for number in 0..<100 {
                try self.disk.append([UInt8(number), UInt8(round)], to: "segment-\(number)")
                try self.disk.sync("segment-\(number)")
            }
        }
        for number in 0..<100 {
            let bytes = try self.disk.read("segment-\(number)", at: 0, count: 8)
            #expect(bytes == [UInt8(number), 0, UInt8(number), 1])
        }
    }

    @Test func `a full disk is told apart from other failures`() throws {
        symlink("/dev/full", "\(self.disk.folder)/a")
        let error = #expect(throws: DiskError.self) { try self.disk.append([1], to: "a") }
        #expect(error?.code == .full)
        #expect(error?.message.contains("\(self.disk.folder)/a") == true)
    }

    @Test func `after a failed sync the file takes nothing any more, and others still do`() throws {
        // A device that takes every byte and cannot sync.
        symlink("/dev/null", "\(self.disk.folder)/a")
        try self.disk.append([1], to: "a")
        for _ in 0..<2 {
            let error = #expect(throws: DiskError.self) { try self.disk.sync("a") }
            #expect(error?.code == .syncFailed)
        }
        let error = #expect(throws: DiskError.self) { try self.disk.append([2], to: "a") }
        #expect(error?.code == .syncFailed)
        #expect(error?.message.contains("takes nothing any more") == true)
        try self.disk.append([3], to: "b")
        try self.disk.sync("b")
    }

    @Test(arguments: ["", ".", "..", "a/b", "a\0b"])
    func `a name that is none of a file in the folder is refused`(name: String) throws {
        let error = #expect(throws: DiskError.self) { try self.disk.append([1], to: name) }
        #expect(error?.code == .failed)
    }

    @Test func `a folder that cannot be made is an error with its path`() throws {
        let error = #expect(throws: DiskError.self) {
            _ = try FolderDisk(folder: "/nowhere/at/all")
        }
        #expect(error?.message.contains("/nowhere/at/all") == true)
    }
}
