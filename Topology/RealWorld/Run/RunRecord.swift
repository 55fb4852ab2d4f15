import Mesh

/// What a run says about itself, in `run.json`.
package struct RunRecord: Sendable, Hashable {
    package var id: String
    package var topology: String
    package var pid: Int
    package var started: Instant

    package init(id: String, topology: String, pid: Int, started: Instant) {
        self.id = id
        self.topology = topology
        self.pid = pid
        self.started = started
    }

    /// The record as the file holds it.
    package var json: JSONValue {
        [
            "id": .string(self.id), "topology": .string(self.topology),
            "pid": .int(Int64(self.pid)), "startedNanoseconds": .int(self.started.nanoseconds),
        ]
    }

    /// Reads the record of a run folder; nil where there is none.
    package init?(folder: String) {
        guard let text = try? FileSystem.readText("\(folder)/\(RunFolder.Name.run)"),
            let json = try? JSONValue(parsing: text),
            let id = json["id"]?.string, let pid = json["pid"]?.int
        else { return nil }
        self.init(
            id: id,
            topology: json["topology"]?.string ?? "",
            pid: Int(clamping: pid),
            started: Instant(nanoseconds: json["startedNanoseconds"]?.int ?? 0)
        )
    }
}
