/// What shall go wrong with a disk, and how often it did; nothing by default.
package final class DiskFaults {
    /// How much longer each sync takes.
    package var syncDelay = Duration.zero
    /// Whether nothing more can be reserved, and written only where room was reserved before.
    package var isFull = false
    /// Whether the next sync fails, and what it covered is lost.
    package var failsNextSync = false
    /// Whether the next write is cut short in the middle, as by a power cut.
    package var tearsNextWrite = false
    /// How many syncs took longer.
    package private(set) var delayedCount = 0
    /// How many times there was no room.
    package private(set) var refusedCount = 0

    package init() {}

    fileprivate func delayed() { self.delayedCount += 1 }
    fileprivate func refused() { self.refusedCount += 1 }
}

/// A disk that fails on purpose, as its ``DiskFaults`` say.
package final class FaultyDisk: Disk {
    private let disk: any Disk
    private let faults: DiskFaults
    /// Lets the thread do nothing for a while.
    private let wait: (Duration) -> Void
    /// Up to where each file has room for certain.
    private var reserved: [String: Int] = [:]
    /// The file whose next sync fails: what is appended to it until then never arrives.
    private var doomed: String?

    package init(_ disk: any Disk, _ faults: DiskFaults, wait: @escaping (Duration) -> Void) {
        self.disk = disk
        self.faults = faults
        self.wait = wait
    }

    package func list() throws(DiskError) -> [String] { try self.disk.list() }

    package func size(of file: String) throws(DiskError) -> Int { try self.disk.size(of: file) }

    package func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        try self.disk.read(file, at: offset, count: count)
    }

    package func append(_ bytes: [UInt8], to file: String) throws(DiskError) {
        if self.faults.failsNextSync, self.doomed == nil { self.doomed = file }
        if self.doomed == file { return }
        if self.faults.tearsNextWrite, bytes.count > 1 {
            self.faults.tearsNextWrite = false
            try self.disk.append(Array(bytes.prefix(bytes.count / 2)), to: file)
            throw DiskError(.failed, "\(file): the power failed in the middle of a write")
        }
        if self.faults.isFull {
            let size = try self.disk.size(of: file)
            if size + bytes.count > self.reserved[file] ?? 0 { throw self.full(file) }
        }
        try self.disk.append(bytes, to: file)
    }

    package func reserve(_ file: String, upTo bytes: Int) throws(DiskError) {
        if self.faults.isFull, bytes > (try self.disk.size(of: file)) { throw self.full(file) }
        try self.disk.reserve(file, upTo: bytes)
        self.reserved[file] = max(bytes, self.reserved[file] ?? 0)
    }

    package func sync(_ file: String) throws(DiskError) {
        if self.faults.failsNextSync, self.doomed == nil || self.doomed == file {
            self.faults.failsNextSync = false
            throw DiskError(.syncFailed, "\(file): the disk failed on purpose")
        }
        if self.faults.syncDelay > .zero {
            self.faults.delayed()
            self.wait(self.faults.syncDelay)
        }
        try self.disk.sync(file)
    }

    package func truncate(_ file: String, to size: Int) throws(DiskError) {
        try self.disk.truncate(file, to: size)
        self.reserved[file] = size
    }

    package func remove(_ file: String) throws(DiskError) {
        try self.disk.remove(file)
        self.reserved[file] = nil
    }

    package var recycles: Bool { self.disk.recycles }

    package func rewind(_ file: String) throws(DiskError) { try self.disk.rewind(file) }

    package func rename(_ file: String, to name: String) throws(DiskError) {
        try self.disk.rename(file, to: name)
        self.reserved[name] = self.reserved.removeValue(forKey: file)
    }

    private func full(_ file: String) -> DiskError {
        self.faults.refused()
        return DiskError(.full, "\(file): no space left. Make room on the disk")
    }
}
