import Chaos
import Mesh
import MeshSocket
import TopologyFile

/// What a run folder has kept, of a run that is over or live: its topology and its log.
package struct RunArchive {
    package let folder: String
    package let topology: Topology
    package let layout: MeshLayout
    /// The disk that the log is read from.
    package let disk: FolderDisk
    /// What the scenario kept, where it was one.
    package let kept: KeptOutcome?
    private var follower = LogFollower()

    /// A judge that has seen nothing yet, by the promises that the run was judged by.
    package var judge: Judge { Judge(layout: self.layout, except: self.kept?.exceptions ?? []) }

    /// Whether the log goes back to its beginning; retention removes old segments.
    package var isComplete: Bool {
        let files = (try? self.disk.list()) ?? []
        guard let first = files.compactMap(Log.position(of:)).min() else { return true }
        return first == 0
    }

    /// Opens a run folder.
    ///
    /// - Throws: `ControlError` where it has no topology or no log.
    package init(folder: String) throws(ControlError) {
        self.folder = folder
        let file = "\(folder)/\(RunFolder.Name.topology)"
        do {
            self.topology = try Topology.parse(try FileSystem.readText(file), file: file)
            self.disk = try FolderDisk(folder: "\(folder)/\(RunFolder.Name.log)", create: false)
        } catch {
            throw ControlError("\(folder) is no run folder: \(error)", hint: "squall runs")
        }
        self.layout = self.topology.layout
        self.kept = KeptOutcome(folder: folder)
    }

    /// Passes the rest of the log, record by record, to `body`.
    ///
    /// - Throws: `ControlError` naming the place in the log that cannot be read.
    package mutating func readAll(_ body: (RecordView) -> Void) throws(ControlError) {
        var record = RecordView()
        var piece: LogFollower.Piece?
        do throws(LogError) {
            while try self.follower.next(into: &record, from: self.disk, in: &piece) {
                body(record)
            }
            try self.follower.checkEnd(in: self.disk)
        } catch {
            throw ControlError("\(self.disk.folder)/\(error.message)")
        }
    }

    /// Returns the next records; none where there are no more yet.
    ///
    /// - Throws: `ControlError` naming the place in the log that cannot be read.
    package mutating func next() throws(ControlError) -> [LogRecord] {
        do throws(LogError) {
            let records = try self.follower.next(from: self.disk)
            if records.isEmpty { try self.follower.checkEnd(in: self.disk) }
            return records
        } catch {
            throw ControlError("\(self.disk.folder)/\(error.message)")
        }
    }
}
