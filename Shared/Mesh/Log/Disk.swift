/// Where a log keeps its files: a folder of append-only files.
///
/// The real disk is `MeshSocket.FolderDisk`; the simulated one lives in memory. Calls are made by
/// one owner, one after the other. Names are plain file names without a slash.
package protocol Disk: AnyObject {
    /// Returns the names of all files, in ascending order.
    func list() throws(DiskError) -> [String]

    /// Returns the size of a file in bytes; 0 where it does not exist.
    func size(of file: String) throws(DiskError) -> Int

    /// Returns up to `count` bytes from `offset`; fewer only at the end of the file.
    func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8]

    /// Appends all of `bytes`, creating the file where it does not exist.
    ///
    /// The bytes survive a crash of the machine only after ``sync(_:)``; where this throws, a part
    /// of them may have been written.
    func append(_ bytes: [UInt8], to file: String) throws(DiskError)

    /// Makes sure that the file can grow to `bytes` bytes, whatever else fills the disk.
    ///
    /// Its size stays what it is, and the room outlives this process; ``truncate(_:to:)`` gives
    /// back what lies behind the new end. Creates the file where it does not exist.
    ///
    /// - Throws: ``DiskError`` with `.full` where there is no room; nothing is lost then.
    func reserve(_ file: String, upTo bytes: Int) throws(DiskError)

    /// Returns once everything appended to the file is durable (fdatasync).
    ///
    /// After an error nothing unsynced may be trusted again: the pages may have been dropped.
    func sync(_ file: String) throws(DiskError)

    /// Cuts the file to `size` bytes, durably.
    func truncate(_ file: String, to size: Int) throws(DiskError)

    /// Deletes a file; does nothing where it does not exist.
    func remove(_ file: String) throws(DiskError)

    /// Whether ``rewind(_:)`` and ``rename(_:to:)`` are there.
    var recycles: Bool { get }

    /// Lets what is appended from now on overwrite the file from its start.
    ///
    /// Its blocks and the memory of its pages are there already, which makes that several times
    /// faster than a new file. Its size is what was appended since; behind that lie
    /// ``endMarkBytes`` zeros, then what the file held before. Whoever opens the disk anew finds
    /// all that as part of the file, until ``truncate(_:to:)`` cuts it off.
    func rewind(_ file: String) throws(DiskError)

    /// Gives a file another name, at once and durably; a file that has that name goes.
    func rename(_ file: String, to name: String) throws(DiskError)
}

extension Disk {
    /// So many zeros follow the end of a file that is overwritten.
    package static var endMarkBytes: Int { 16 }

    package var recycles: Bool { false }

    package func rewind(_ file: String) throws(DiskError) {
        throw DiskError(.failed, "\(file): this disk does not overwrite files")
    }

    package func rename(_ file: String, to name: String) throws(DiskError) {
        throw DiskError(.failed, "\(file): this disk does not rename files")
    }

    /// A disk without a limit has room for everything.
    package func reserve(_ file: String, upTo bytes: Int) throws(DiskError) {}
}

/// Why a disk did not do what it was asked to.
package struct DiskError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it was, for code to tell apart.
    package enum Code: String, Sendable {
        /// No space is left, or a quota is used up.
        case full
        /// A sync failed: what it covered may be lost.
        case syncFailed
        /// Anything else.
        case failed
    }

    package var code: Code
    /// The file, the call and the system's words.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { self.message }
}
