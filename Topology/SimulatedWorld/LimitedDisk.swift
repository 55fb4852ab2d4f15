import Mesh

/// A disk with an end: as many bytes as its capacity, shared with others that fill it.
///
/// Counts like a file system: what is reserved is taken, and what is written within a reserve
/// takes nothing more.
package final class LimitedDisk: Disk {
    private let disk: any Disk
    /// How many bytes all files together may take.
    package var capacity: Int
    /// What others take of it.
    package var othersTake = 0
    /// Up to where each file has blocks.
    private var blocks: [String: Int] = [:]

    package init(_ disk: any Disk, capacity: Int) throws(DiskError) {
        self.disk = disk
        self.capacity = capacity
        for file in try disk.list() { self.blocks[file] = try disk.size(of: file) }
    }

    /// How many bytes are left for anybody.
    package var free: Int {
        max(0, self.capacity - self.othersTake - self.blocks.values.reduce(0, +))
    }

    /// Lets others take all that is left.
    package func fill() { self.othersTake += self.free }

    private func take(_ file: String, upTo bytes: Int) throws(DiskError) {
        let missing = bytes - (self.blocks[file] ?? 0)
        guard missing > 0 else { return }
        guard missing <= self.free else {
            throw DiskError(.full, "\(file): no space left. Make room on the disk")
        }
        self.blocks[file] = bytes
    }

    package func list() throws(DiskError) -> [String] { try self.disk.list() }

    package func size(of file: String) throws(DiskError) -> Int { try self.disk.size(of: file) }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        try self.disk.read(file, at: offset, count: count)
    }

    /// Writes what there is room for, and fails where that is not all, as a file system does.
    package func append(_ bytes: [UInt8], to file: String) throws(DiskError) {
        let size = try self.disk.size(of: file)
        do {
            try self.take(file, upTo: size + bytes.count)
        } catch {
            let room = max(0, (self.blocks[file] ?? 0) - size) + self.free
            try self.take(file, upTo: size + room)
            try self.disk.append(Array(bytes.prefix(room)), to: file)
            throw error
        }
        try self.disk.append(bytes, to: file)
    }

    package func reserve(_ file: String, upTo bytes: Int) throws(DiskError) {
        try self.take(file, upTo: bytes)
    }

    package func sync(_ file: String) throws(DiskError) { try self.disk.sync(file) }

    package func truncate(_ file: String, to size: Int) throws(DiskError) {
        try self.disk.truncate(file, to: size)
        self.blocks[file] = size
    }

    package func remove(_ file: String) throws(DiskError) {
        try self.disk.remove(file)
        self.blocks[file] = nil
    }

    package var recycles: Bool { self.disk.recycles }

    package func rewind(_ file: String) throws(DiskError) { try self.disk.rewind(file) }

    package func rename(_ file: String, to name: String) throws(DiskError) {
        try self.disk.rename(file, to: name)
        self.blocks[name] = self.blocks.removeValue(forKey: file)
    }
}
