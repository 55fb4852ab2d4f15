import Mesh

/// Room put aside behind the end of a ledger, so that a disk that fills up never cuts short what
/// has been begun.
package struct LedgerRoom {
    /// How much is put aside, and how little is left when more is asked for.
    package static let ahead = 256 * 1024
    private static let low = 128 * 1024
    private static let least = 16 * 1024
    /// How often a full disk is asked again.
    private static let interval = Duration.milliseconds(250)

    private let disk: any Disk
    private let file: String
    private var reserved: Int
    private var nextTry = Instant.zero
    /// How many bytes the file has.
    package var length: Int
    /// Whether the disk gave less than was asked for, the last time.
    package private(set) var isFull = false

    package init(disk: any Disk, file: String, length: Int) {
        self.disk = disk
        self.file = file
        self.length = length
        self.reserved = length
    }

    /// Whether the file can grow by that many bytes, whatever else fills the disk.
    ///
    /// A full disk is not asked again within a moment of `now`; where that is nil, it is.
    package mutating func has(_ bytes: Int, now: Instant?) -> Bool {
        let needed = self.length + bytes
        let isSoon = now.map { $0 < self.nextTry } ?? false
        if self.reserved < needed + Self.low, !self.isFull || !isSoon {
            self.reserve(behind: needed)
            if let now { self.nextTry = now + Self.interval }
        }
        return self.reserved >= needed
    }

    /// Reserves as much as there is.
    ///
    /// What fails otherwise than by being full shows when writing.
    private mutating func reserve(behind needed: Int) {
        var wanted = Self.ahead
        self.isFull = false
        while wanted >= Self.least, self.reserved < needed + wanted {
            do {
                try self.disk.reserve(self.file, upTo: needed + wanted)
                self.reserved = needed + wanted
            } catch {
                guard error.code == .full else {
                    self.reserved = needed + wanted
                    return
                }
                self.isFull = true
                wanted /= 2
            }
        }
    }

    /// Gives back what is behind the end.
    package mutating func giveBack() throws(DiskError) {
        if self.reserved > self.length { try self.cut() }
    }

    /// Cuts off what a failed write left behind the end, and with it what is reserved.
    package mutating func cut() throws(DiskError) {
        try self.disk.truncate(self.file, to: self.length)
        self.reserved = self.length
    }
}
