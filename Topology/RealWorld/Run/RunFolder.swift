import Glibc
import Mesh

/// The folder that keeps everything of one run, and the lock that says that the run is live.
///
/// The lock is an `flock` on the file `lock`: it ends with the process that holds it, however that
/// process ends.
package final class RunFolder {
    /// The names in a run folder.
    package enum Name {
        package static let topology = "topology.json"
        package static let log = "log"
        package static let ledgers = "ledgers"
        package static let logs = "logs"
        package static let verdict = "verdict.json"
        package static let control = "control.sock"
        package static let hub = "hub.sock"
        package static let audit = "audit.ndjson"
        package static let run = "run.json"
        package static let diary = "diary.ndjson"
        package static let scenario = "scenario.json"
        package static let outcome = "outcome.json"
        package static let lock = "lock"
    }

    /// The folder's absolute path.
    package let path: String
    /// The last part of the path, which names the run.
    package let id: String
    private var lock: Int32

    private init(path: String, lock: Int32) {
        self.path = path
        self.id = path.split(separator: "/").last.map(String.init) ?? path
        self.lock = lock
    }

    deinit { self.unlock() }

    /// Creates the folder of a new run in `root`, named by the time and the topology.
    ///
    /// - Throws: `ControlError` where the folder cannot be made.
    package static func create(
        in root: String,
        topology: String,
        now: Instant
    ) throws(ControlError) -> RunFolder {
        try Self.attempt { () throws(FileSystem.Failure) in try FileSystem.makeFolders(root) }
        let stem = "\(root)/\(Self.stamp(now))-\(topology)"
        for suffix in [""] + (2...1000).map({ "-\($0)" }) {
            let made = try Self.attempt { () throws(FileSystem.Failure) in
                try FileSystem.makeFolder(stem + suffix)
            }
            guard made else { continue }
            let folder = try Self.open(stem + suffix)
            FileSystem.link("\(root)/latest", to: folder.id)
            return folder
        }
        throw ControlError("\(stem): a thousand runs of the same second exist")
    }

    /// Takes a folder that the user named; it is made where it does not exist.
    ///
    /// - Throws: `ControlError` where another process runs in it, or where it holds a run already.
    package static func create(at path: String) throws(ControlError) -> RunFolder {
        try Self.attempt { () throws(FileSystem.Failure) in try FileSystem.makeFolders(path) }
        let folder = try Self.open(path)
        guard FileSystem.names(in: "\(path)/\(Name.log)").isEmpty,
            !FileSystem.exists("\(path)/\(Name.verdict)")
        else {
            throw ControlError(
                "\(path) holds a run that is over; a run folder is used once",
                hint: "squall check \(path)"
            )
        }
        folder.removeSockets()
        return folder
    }

    private static func open(_ path: String) throws(ControlError) -> RunFolder {
        guard let absolute = FileSystem.absolute(path) else {
            throw ControlError("\(path) vanished while the run started")
        }
        let lock = Glibc.open("\(path)/\(Name.lock)", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard lock >= 0 else {
            throw ControlError(
                "cannot write into \(path): \(String(cString: strerror(errno)))",
                hint: "squall up --run-folder DIR"
            )
        }
        guard Self.take(lock) else {
            Glibc.close(lock)
            let pid = RunRecord(folder: path).map { " (pid \($0.pid))" } ?? ""
            throw ControlError(
                "\(path) is in use: another 'squall up'\(pid) runs in it",
                hint: "squall ps --run \(path)"
            )
        }
        let folder = RunFolder(path: absolute, lock: lock)
        for name in [Name.log, Name.ledgers, Name.logs] {
            _ = try Self.attempt { () throws(FileSystem.Failure) in
                try FileSystem.makeFolder("\(path)/\(name)")
            }
        }
        return folder
    }

    /// Removes the sockets that a run left behind.
    package func removeSockets() { Self.removeSockets(in: self.path) }

    /// Removes the sockets and gives the folder free; the rest stays.
    package func close() {
        self.removeSockets()
        FileSystem.remove("\(self.path)/\(Name.lock)")
        self.unlock()
    }

    /// Takes the lock, in spite of commands that hold it for a moment to see whether it is free.
    private static func take(_ lock: Int32) -> Bool {
        for attempt in 1...10 {
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { return true }
            if attempt < 10 { usleep(2_000) }
        }
        return false
    }

    private func unlock() {
        guard self.lock >= 0 else { return }
        Glibc.close(self.lock)
        self.lock = -1
    }

    static func removeSockets(in folder: String) {
        for name in FileSystem.names(in: folder) where name.hasSuffix(".sock") {
            FileSystem.remove("\(folder)/\(name)")
        }
    }

    private static func attempt<T>(
        _ body: () throws(FileSystem.Failure) -> T
    ) throws(ControlError) -> T {
        do {
            return try body()
        } catch {
            throw ControlError(error.message, hint: "squall up --run-folder DIR")
        }
    }

    /// The local time as `yyyyMMdd-HHmmss`.
    private static func stamp(_ now: Instant) -> String {
        var seconds = time_t(now.nanoseconds / 1_000_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let two = { (number: Int32) in (number < 10 ? "0" : "") + String(number) }
        return "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
            + "-\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
    }
}
