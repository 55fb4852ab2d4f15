/// A disk that loses in a kill what a power cut would lose: what was not synced.
///
/// SIGKILL leaves the page cache alone, so a sync that is missing would never show. This one keeps
/// appended bytes in memory until they are synced, or until ``writeBack()`` stands in for a kernel
/// that writes old pages out of its own accord.
package final class HoldingDisk: Disk {
    private let disk: any Disk
    private var held: [String: [UInt8]] = [:]

    package init(_ disk: any Disk) {
        self.disk = disk
    }

    /// Whether a kill would lose something now.
    package var holdsBytes: Bool { !self.held.isEmpty }

    /// Hands over what is held, without syncing it.
    package func writeBack() throws(DiskError) {
        for file in self.held.keys.sorted() { try self.writeBack(file) }
    }

    private func writeBack(_ file: String) throws(DiskError) {
        guard let bytes = self.held.removeValue(forKey: file) else { return }
        try self.disk.append(bytes, to: file)
    }

    package func list() throws(DiskError) -> [String] {
        Set(try self.disk.list()).union(self.held.keys).sorted()
    }

    package func size(of file: String) throws(DiskError) -> Int {
        try self.disk.size(of: file) + (self.held[file]?.count ?? 0)
    }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        guard let held = self.held[file] else {
            return try self.disk.read(file, at: offset, count: count)
        }
        let size = try self.disk.size(of: file)
        let written = min(max(0, size - offset), count)
        var bytes = written > 0 ? try self.disk.read(file, at: offset, count: written) : []
        let start = max(0, offset - size)
        bytes.append(contentsOf: held.dropFirst(start).prefix(count - written))
        return bytes
    }

    package func append(_ bytes: [UInt8], to file: String) {
        guard !bytes.isEmpty else { return }
        self.held[file, default: []].append(contentsOf: bytes)
    }

    package func reserve(_ file: String, upTo bytes: Int) throws(DiskError) {
        try self.disk.reserve(file, upTo: bytes)
    }

    package func sync(_ file: String) throws(DiskError) {
        try self.writeBack(file)
        try self.disk.sync(file)
    }

    package func truncate(_ file: String, to size: Int) throws(DiskError) {
        try self.writeBack(file)
        try self.disk.truncate(file, to: size)
    }

    package func remove(_ file: String) throws(DiskError) {
        self.held[file] = nil
        try self.disk.remove(file)
    }

    package var recycles: Bool { self.disk.recycles }

    package func rewind(_ file: String) throws(DiskError) {
        self.held[file] = nil
        try self.disk.rewind(file)
    }

    package func rename(_ file: String, to name: String) throws(DiskError) {
        self.held[name] = self.held.removeValue(forKey: file)
        try self.disk.rename(file, to: name)
    }
}
