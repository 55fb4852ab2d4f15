import Mesh

/// A folder of files in memory that forgets, in a power cut, whatever was not synced.
package final class MemoryDisk: Disk {
    private struct File {
        var bytes: [UInt8] = []
        var syncedCount = 0
    }

    private var files: [String: File] = [:]
    private var appendError: DiskError?
    private var syncError: DiskError?

    package init() {}

    package func list() -> [String] { self.files.keys.sorted() }

    package func size(of file: String) -> Int { self.files[file]?.bytes.count ?? 0 }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        guard let bytes = self.files[file]?.bytes else {
            throw DiskError(.failed, "\(file): there is no such file")
        }
        guard offset < bytes.count else { return [] }
        return Array(bytes[offset..<min(offset + count, bytes.count)])
    }

    package func append(_ bytes: [UInt8], to file: String) throws(DiskError) {
        if let error = self.appendError {
            self.appendError = nil
            throw error
        }
        self.files[file, default: File()].bytes.append(contentsOf: bytes)
    }

    package func sync(_ file: String) throws(DiskError) {
        if let error = self.syncError {
            self.syncError = nil
            throw error
        }
        let size = self.size(of: file)
        self.files[file]?.syncedCount = size
    }

    package func truncate(_ file: String, to size: Int) {
        let surplus = max(0, self.size(of: file) - size)
        self.files[file]?.bytes.removeLast(surplus)
        self.files[file]?.syncedCount = size
    }

    package func remove(_ file: String) { self.files[file] = nil }

    /// A call that is made to fail.
    package enum Failure: Sendable, Hashable {
        case append(DiskError)
        case sync(DiskError)
    }

    /// Makes the next append or the next sync fail.
    package func failNext(_ failure: Failure) {
        switch failure {
        case .append(let error): self.appendError = error
        case .sync(let error): self.syncError = error
        }
    }

    /// Returns the hash of a file's bytes.
    func hash(of file: String, seed: UInt64) -> UInt64 {
        self.files[file]?.bytes.withUnsafeBytes { StableHash.of($0, seed: seed) } ?? seed
    }

    /// Cuts the power: unsynced bytes are lost, but for a piece that was being written.
    ///
    /// With `only`, that one file loses them.
    package func losePower(using random: inout SeededRandom, only: String? = nil) {
        for name in self.list() where only == nil || only == name {
            guard let file = self.files[name], file.bytes.count > file.syncedCount else { continue }
            let torn = random.below(file.bytes.count - file.syncedCount)
            self.files[name]?.bytes.removeLast(file.bytes.count - file.syncedCount - torn)
        }
    }

    /// Changes one byte, as a rotting medium would.
    package func flip(_ file: String, at offset: Int) {
        guard let bytes = self.files[file]?.bytes, bytes.indices.contains(offset) else { return }
        self.files[file]?.bytes[offset] ^= 0x40
    }
}
