/// What shall go wrong with a disk, once each; nothing by default.
package final class DiskFaults {
    /// Whether the next sync fails, and what it covered is lost.
    package var failsNextSync = false
    /// Whether the next write is cut short in the middle, as by a power cut.
    package var tearsNextWrite = false
    /// What can be filled, where anything can.
    package let limit: LimitedDisk?

    package init(limit: LimitedDisk? = nil) {
        self.limit = limit
    }
}

/// A disk that fails on purpose, as its ``DiskFaults`` say.
package final class FaultyDisk: Disk {
    private let disk: any Disk
    private let faults: DiskFaults
    /// The file whose next sync fails: what is appended to it until then never arrives.
    private var doomed: String?

    package init(_ disk: any Disk, _ faults: DiskFaults) {
        self.disk = disk
        self.faults = faults
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
        try self.disk.append(bytes, to: file)
    }

    package func reserve(_ file: String, upTo bytes: Int) throws(DiskError) {
        try self.disk.reserve(file, upTo: bytes)
    }

    package func sync(_ file: String) throws(DiskError) {
        if self.faults.failsNextSync, self.doomed == nil || self.doomed == file {
            self.faults.failsNextSync = false
            throw DiskError(.syncFailed, "\(file): the disk failed on purpose")
        }
        try self.disk.sync(file)
    }

    package func truncate(_ file: String, to size: Int) throws(DiskError) {
        try self.disk.truncate(file, to: size)
    }

    package func remove(_ file: String) throws(DiskError) { try self.disk.remove(file) }
}
