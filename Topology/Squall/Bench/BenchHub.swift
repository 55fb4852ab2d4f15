import Glibc
import Mesh
import MeshSocket
import RealWorld
import TopologyFile

/// A hub of its own, in a folder of its own, with the clients that measure it.
final class BenchHub {
    let folder: String
    private(set) var pid: pid_t = -1
    private(set) var clients: [pid_t] = []
    private let topology: Topology
    private let tokens: [String: String]
    private var lifeline: Int32 = -1
    private let home: String

    /// Makes the folder, below `.squall` where the disk is that runs are on, and enters it.
    ///
    /// So many instances of the first service may connect as well.
    init(_ topology: Topology, instances: Int = 0) throws(ControlError) {
        self.topology = topology
        var names = topology.outside.map(\.name) + topology.services.map(\.name)
        names = names.map { "\($0)/\($0)" } + ["squall/admin"]
        if let service = topology.services.first?.name {
            names += (0..<instances).map { "\(service)/\(service)-\($0)" }
        }
        self.tokens = Dictionary(uniqueKeysWithValues: names.map { ($0, TokenMint.token()) })
        self.home = CommandContext.workingFolder
        self.folder = "\(self.home)/.squall/bench-\(FileSystem.processID)"
        do {
            FileSystem.removeTree(self.folder)
            try FileSystem.makeFolders(self.folder)
            try FileSystem.enter(self.folder)
        } catch {
            throw ControlError(error.message)
        }
    }

    /// The secret of a service or publisher.
    func token(_ name: String) -> String {
        if name == "squall" { return self.tokens["squall/admin"] ?? "" }
        let service = self.topology.services.first?.name ?? ""
        return self.tokens["\(name)/\(name)"] ?? self.tokens["\(service)/\(name)"] ?? ""
    }

    /// Starts the hub, and returns when it listens.
    func start() throws(ControlError) {
        let line: JSONValue = [
            "topology": self.topology.normalized(),
            "tokens": .object(
                self.tokens.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }
            ),
        ]
        do {
            let input = try Pipe()
            defer { close(input.readEnd) }
            self.pid = try ProcessStart(
                path: "\(FileSystem.executableFolder())/Hub",
                folder: self.folder,
                descriptors: [(source: input.readEnd, target: 0), (source: 2, target: 2)]
            ).spawn()
            self.lifeline = input.writeEnd
        } catch {
            throw ControlError("the hub cannot be started: \(error)", hint: "swift build")
        }
        let bytes = Array((line.text + "\n").utf8)
        guard write(self.lifeline, bytes, bytes.count) == bytes.count else {
            throw ControlError("the hub did not take its topology")
        }
        try self.await("the hub does not listen") { Self.listens() }
    }

    /// Whether the hub takes connections: its socket is there a moment before.
    private static func listens() -> Bool {
        guard FileSystem.exists("hub.sock"), let loop = try? EventLoop(),
            let connection = try? FrameConnection.connect(to: "hub.sock", loop: loop)
        else { return false }
        connection.close()
        return true
    }

    /// Starts a client; returns its process.
    func start(_ client: BenchClient.Setting) throws(ControlError) {
        do {
            self.clients.append(
                try ProcessStart(
                    path: "\(FileSystem.executableFolder())/squall",
                    arguments: client.words,
                    environment: FileSystem.environment,
                    folder: self.folder,
                    descriptors: [(source: 2, target: 2)]
                ).spawn()
            )
        } catch {
            throw ControlError("a client cannot be started: \(error)")
        }
    }

    /// Returns once `condition` holds; throws where that takes long, or a process ends before.
    func `await`(_ what: String, _ condition: () -> Bool) throws(ControlError) {
        let watch = Stopwatch()
        while !condition() {
            try self.checkAlive()
            guard watch.seconds < 20 else { throw ControlError("\(what) within 20 seconds") }
            usleep(500)
        }
    }

    /// Throws where the hub or a client ended before it was told to.
    func checkAlive() throws(ControlError) {
        for pid in [self.pid] + self.clients where waitpid(pid, nil, WNOHANG) == pid {
            self.clients.removeAll { $0 == pid }
            let name = pid == self.pid ? "the hub" : "a client"
            if pid == self.pid { self.pid = -1 }
            throw ControlError("\(name) ended in the middle of the measurement")
        }
    }

    /// Waits for the clients to end, for some seconds, then ends all and removes the folder.
    func stop() {
        let watch = Stopwatch()
        while !self.clients.isEmpty, watch.seconds < 3 {
            self.clients.removeAll { waitpid($0, nil, WNOHANG) == $0 }
            usleep(1000)
        }
        for pid in self.clients + [self.pid] where pid > 0 {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        self.clients = []
        self.pid = -1
        if self.lifeline >= 0 { close(self.lifeline) }
        self.lifeline = -1
        try? FileSystem.enter(self.home)
        FileSystem.removeTree(self.folder)
    }
}

/// What the kernel says of a process.
enum ProcessMeter {
    /// The time that it computed, in nanoseconds, all its threads together.
    static func computed(_ pid: pid_t) -> Int64 {
        FileSystem.names(in: "/proc/\(pid)/task").reduce(0) { sum, thread in
            let text = try? FileSystem.readText("/proc/\(pid)/task/\(thread)/schedstat")
            return sum + (text?.split(separator: " ").first.flatMap { Int64($0) } ?? 0)
        }
    }

    /// The most memory that it ever had at once, in kibibytes.
    static func peakKibibytes(_ pid: pid_t) -> Int {
        let text = (try? FileSystem.readText("/proc/\(pid)/status")) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
}
