import Mesh

/// A disk in memory, for tests of what is written to one.
final class MemoryDisk: Disk {
    var files: [String: [UInt8]] = [:]
    var syncs: [String] = []

    func list() -> [String] { self.files.keys.sorted() }

    func size(of file: String) -> Int { self.files[file]?.count ?? 0 }

    func read(_ file: String, at offset: Int, count: Int) -> [UInt8] {
        let bytes = self.files[file] ?? []
        return Array(bytes[min(offset, bytes.count)..<min(offset + count, bytes.count)])
    }

    func append(_ bytes: [UInt8], to file: String) {
        self.files[file, default: []].append(contentsOf: bytes)
    }

    func sync(_ file: String) { self.syncs.append(file) }

    func truncate(_ file: String, to size: Int) {
        self.files[file] = Array((self.files[file] ?? []).prefix(size))
    }

    func remove(_ file: String) { self.files[file] = nil }
}
