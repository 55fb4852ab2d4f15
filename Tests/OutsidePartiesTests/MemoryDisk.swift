import Mesh

/// A disk in memory that knows what was synced, so that a test can pull the plug.
final class MemoryDisk: Disk {
    private(set) var files: [String: [UInt8]] = [:]
    private var durable: [String: Int] = [:]
    private(set) var syncs = 0
    /// Thrown by the next append or sync.
    var failure: DiskError?
    /// How many bytes all files may take, with what is reserved for them.
    var capacity = Int.max
    private var blocks: [String: Int] = [:]

    init(_ files: [String: [UInt8]] = [:]) {
        self.files = files
        self.durable = files.mapValues(\.count)
    }

    /// What is left after the power failed.
    func afterPowerCut() -> MemoryDisk {
        var left: [String: [UInt8]] = [:]
        for (name, bytes) in self.files {
            left[name] = Array(bytes.prefix(self.durable[name] ?? 0))
        }
        return MemoryDisk(left)
    }

    func list() -> [String] { self.files.keys.sorted() }

    func size(of file: String) -> Int { self.files[file]?.count ?? 0 }

    func read(_ file: String, at offset: Int, count: Int) -> [UInt8] {
        Array((self.files[file] ?? []).dropFirst(offset).prefix(count))
    }

    func append(_ bytes: [UInt8], to file: String) throws(DiskError) {
        try self.fail()
        try self.reserve(file, upTo: self.size(of: file) + bytes.count)
        self.files[file, default: []] += bytes
    }

    func sync(_ file: String) throws(DiskError) {
        try self.fail()
        self.syncs += 1
        self.durable[file] = self.size(of: file)
    }

    /// How many bytes are taken.
    var taken: Int { self.blocks.values.reduce(0, +) }

    func reserve(_ file: String, upTo bytes: Int) throws(DiskError) {
        let known = self.blocks[file] ?? self.size(of: file)
        guard bytes > known else { return }
        guard self.taken + bytes - known <= self.capacity else {
            throw DiskError(.full, "\(file): no space left")
        }
        self.blocks[file] = bytes
    }

    func truncate(_ file: String, to size: Int) {
        self.blocks[file] = size
        self.files[file] = Array((self.files[file] ?? []).prefix(size))
        self.durable[file] = size
    }

    func remove(_ file: String) { self.files[file] = nil }

    private func fail() throws(DiskError) {
        guard let failure = self.failure else { return }
        self.failure = nil
        throw failure
    }
}
