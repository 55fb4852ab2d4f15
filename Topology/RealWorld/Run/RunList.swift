import Glibc
import Mesh

/// The runs that a folder keeps.
package struct RunList: Sendable {
    /// The folder of run folders.
    package let root: String

    /// One kept run.
    package struct Run: Sendable, Hashable {
        package var id: String
        package var path: String
        package var isLive: Bool
        package var record: RunRecord?
    }

    package init(root: String) {
        self.root = root
    }

    /// Returns the list of the nearest `.squall/runs`, from `folder` upwards; the one of `folder`
    /// where there is none.
    package static func nearest(to folder: String) -> RunList {
        var parts = folder.split(separator: "/")
        while true {
            let root = "/" + (parts + [".squall", "runs"]).joined(separator: "/")
            if FileSystem.isFolder(root) { return RunList(root: root) }
            guard parts.popLast() != nil else { break }
        }
        return RunList(root: "\(folder)/.squall/runs")
    }

    /// All runs, the oldest first.
    package var runs: [Run] {
        FileSystem.names(in: self.root).compactMap { name in
            let path = "\(self.root)/\(name)"
            guard name != "latest", FileSystem.isFolder(path) else { return nil }
            return Self.run(at: path)
        }
        .sorted { ($0.record?.started ?? .zero, $0.id) < ($1.record?.started ?? .zero, $1.id) }
    }

    /// Returns the run that `name` means: an id, a folder, or `latest`.
    ///
    /// - Throws: `ControlError` naming the runs there are.
    package func run(named name: String) throws(ControlError) -> Run {
        let runs = self.runs
        if name == "latest" {
            guard let last = runs.last else { throw self.noRuns }
            return last
        }
        if let run = runs.first(where: { $0.id == name }) { return run }
        if FileSystem.isFolder(name), let path = FileSystem.absolute(name),
            FileSystem.isFolder("\(path)/\(RunFolder.Name.log)")
                || FileSystem.exists("\(path)/\(RunFolder.Name.run)")
        {
            return Self.run(at: path)
        }
        guard !runs.isEmpty else { throw self.noRuns }
        let known = runs.suffix(3).map(\.id).joined(separator: ", ")
        throw ControlError(
            "there is no run '\(name)'; the last ones: \(known)",
            hint: "squall runs",
            isUsage: true
        )
    }

    /// Returns the run to talk to: the one that is named, else the only live one.
    ///
    /// - Throws: `ControlError` where the named one is over, none is live, or several are.
    package func liveRun(named name: String?) throws(ControlError) -> Run {
        if let name {
            let run = try self.run(named: name)
            guard run.isLive else {
                throw ControlError(
                    "\(run.id) is over",
                    hint: "squall check \(run.id)",
                    isUsage: true
                )
            }
            return run
        }
        let live = self.runs.filter(\.isLive)
        guard let first = live.first else {
            throw ControlError("no topology is running here", hint: "squall up")
        }
        guard live.count == 1 else {
            let ids = live.map(\.id).joined(separator: ", ")
            throw ControlError(
                "\(live.count) topologies are running, say which: \(ids)",
                hint: "add --run \(first.id)",
                isUsage: true
            )
        }
        return first
    }

    /// Removes the oldest runs that are over, beyond `count`, and the sockets of those that stay.
    package func prune(keeping count: Int) {
        let over = self.runs.filter { !$0.isLive }
        for run in over.dropLast(max(0, count)) where run.record != nil {
            FileSystem.removeTree(run.path)
        }
        for run in over.suffix(max(0, count)) where !Self.isLive(run.path) {
            RunFolder.removeSockets(in: run.path)
        }
    }

    private var noRuns: ControlError {
        ControlError("there are no runs in \(self.root)", hint: "squall up")
    }

    private static func run(at path: String) -> Run {
        Run(
            id: path.split(separator: "/").last.map(String.init) ?? path,
            path: path,
            isLive: Self.isLive(path),
            record: RunRecord(folder: path)
        )
    }

    /// Whether a process holds the run's lock.
    private static func isLive(_ path: String) -> Bool {
        let lock = open("\(path)/\(RunFolder.Name.lock)", O_RDWR | O_CLOEXEC)
        guard lock >= 0 else { return false }
        defer { close(lock) }
        return flock(lock, LOCK_SH | LOCK_NB) != 0
    }
}
