import Mesh

/// A folder of files in memory that forgets, in a power cut, whatever was not synced.
package final class MemoryDisk: Disk {
    private struct File {
        var name: String
        var bytes: [UInt8] = []
        var syncedCount = 0
        /// What is being overwritten; empty where nothing is.
        var old: [UInt8] = []

        /// What whoever opens the disk anew finds behind so many bytes of what was appended.
        func behind(_ count: Int) -> [UInt8] {
            let mark = count < self.old.count ? MemoryDisk.endMarkBytes : 0
            return [UInt8](repeating: 0, count: mark) + self.old.dropFirst(count + mark)
        }
    }

    /// The files, ascending by name.
    ///
    /// They are few: looking through them is faster than hashing a name.
    private var files: [File] = []
    private var appendError: DiskError?
    private var syncError: DiskError?

    package init() {}

    private func index(of file: String) -> Int? { self.files.firstIndex { $0.name == file } }

    package func list() -> [String] { self.files.map(\.name) }

    package func size(of file: String) -> Int {
        self.index(of: file).map { self.files[$0].bytes.count } ?? 0
    }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        guard let index = self.index(of: file) else {
            throw DiskError(.failed, "\(file): there is no such file")
        }
        let size = self.files[index].bytes.count
        guard offset < size else { return [] }
        return Array(self.files[index].bytes[offset..<min(offset + count, size)])
    }

    package func append(_ bytes: [UInt8], to file: String) throws(DiskError) {
        if let error = self.appendError {
            self.appendError = nil
            throw error
        }
        if let index = self.index(of: file) {
            self.files[index].bytes.append(contentsOf: bytes)
        } else {
            let place = self.files.firstIndex { $0.name > file } ?? self.files.endIndex
            self.files.insert(File(name: file, bytes: bytes), at: place)
        }
    }

    package func sync(_ file: String) throws(DiskError) {
        if let error = self.syncError {
            self.syncError = nil
            throw error
        }
        guard let index = self.index(of: file) else { return }
        self.files[index].syncedCount = self.files[index].bytes.count
    }

    package func truncate(_ file: String, to size: Int) {
        guard let index = self.index(of: file) else { return }
        self.files[index].bytes.removeLast(max(0, self.files[index].bytes.count - size))
        self.files[index].syncedCount = size
        self.files[index].old = []
    }

    package func remove(_ file: String) { self.files.removeAll { $0.name == file } }

    package var recycles: Bool { true }

    package func rewind(_ file: String) {
        guard let index = self.index(of: file) else { return }
        self.files[index].old = self.files[index].bytes
        self.files[index].bytes = []
        self.files[index].syncedCount = 0
    }

    package func rename(_ file: String, to name: String) {
        guard let index = self.index(of: file) else { return }
        var renamed = self.files.remove(at: index)
        renamed.name = name
        self.remove(name)
        let place = self.files.firstIndex { $0.name > name } ?? self.files.endIndex
        self.files.insert(renamed, at: place)
    }

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
        guard let index = self.index(of: file) else { return seed }
        return self.files[index].bytes.withUnsafeBytes { StableHash.of($0, seed: seed) }
    }

    /// Cuts the power: unsynced bytes are lost, but for a piece that was being written.
    ///
    /// Of a file that was being overwritten the old end is part again. With `only`, that one file
    /// loses them.
    package func losePower(using random: inout SeededRandom, only: String? = nil) {
        for index in self.files.indices where only == nil || only == self.files[index].name {
            let unsynced = self.files[index].bytes.count - self.files[index].syncedCount
            if unsynced > 0 {
                self.files[index].bytes.removeLast(unsynced - random.below(unsynced))
            }
            self.reopen(index)
        }
    }

    /// Lets the files be seen as by whoever opens them anew.
    package func reopen() {
        for index in self.files.indices { self.reopen(index) }
    }

    private func reopen(_ index: Int) {
        let behind = self.files[index].behind(self.files[index].bytes.count)
        self.files[index].bytes += behind
        self.files[index].old = []
    }

    /// Changes one byte, as a rotting medium would.
    package func flip(_ file: String, at offset: Int) {
        guard let index = self.index(of: file), self.files[index].bytes.indices.contains(offset)
        else { return }
        self.files[index].bytes[offset] ^= 0x40
    }
}
