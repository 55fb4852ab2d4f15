import Mesh

/// A disk in memory, for tests of what is written to one.
final class MemoryDisk: Disk {
    var files: [String: [UInt8]] = [:]
    var syncs: [String] = []
    /// How many bytes all files may take together.
    var capacity = Int.max

    func list() -> [String] { self.files.keys.sorted() }

    func size(of file: String) -> Int { self.files[file]?.count ?? 0 }

    func read(_ file: String, at offset: Int, count: Int) -> [UInt8] {
        let bytes = self.files[file] ?? []
        return Array(bytes[min(offset, bytes.count)..<min(offset + count, bytes.count)])
    }

    /// Writes what there is room for, and fails where that is not all.
    func append(_ bytes: [UInt8], to file: String) throws(DiskError) {
        let room = self.capacity - self.files.values.reduce(0) { $0 + $1.count }
        self.files[file, default: []].append(contentsOf: bytes.prefix(max(0, room)))
        guard bytes.count <= room else { throw DiskError(.full, "\(file): no space left") }
    }

    func reserve(_ file: String, upTo bytes: Int) throws(DiskError) {
        guard bytes <= self.capacity else { throw DiskError(.full, "\(file): no space left") }
    }

    func sync(_ file: String) { self.syncs.append(file) }

    func truncate(_ file: String, to size: Int) {
        self.files[file] = Array((self.files[file] ?? []).prefix(size))
    }

    func remove(_ file: String) { self.files[file] = nil }
}
