import Chaos
import Foundation
import Mesh
import MeshSocket
import OutsideParties
import ProbeService
import ServiceKit
import SimulatedWorld
import TopologyFile

/// The trial with processes, sockets, files and the machine's clock.
final class RealTrial: Trial {
    private let folder: URL
    private let launchLine: Data
    private let loop: EventLoop
    private var publisher: PublisherClient
    private var link: FrameConnection?
    private var processes: [String: TrialProcess] = [:]

    init(_ topology: Topology) throws {
        self.folder = FileManager.default.temporaryDirectory.appending(path: "squall-\(UUID())")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        self.loop = try EventLoop()
        let names = ["asker/asker"] + (1...4).map { "probe/probe-\($0)" }
        let launch: JSONValue = [
            "topology": topology.normalized(),
            "tokens": .object(names.map { .init($0, "token") }),
        ]
        self.launchLine = Data((launch.text + "\n").utf8)
        self.publisher = PublisherClient(
            hello: Hello(role: .publisher, name: "asker", instance: "asker", token: "token")
        )
        for process in ["hub", "bank", "probe-1"] { try self.start(process) }
        self.connect()
    }

    deinit {
        for process in self.processes.values { process.kill() }
        try? FileManager.default.removeItem(at: self.folder)
    }

    // MARK: Processes

    func start(_ name: String) throws {
        let programs = ["hub": "Hub", "bank": "Outside"]
        let environment = [
            "SQUALL_NAME": name, "SQUALL_INSTANCE": name, "SQUALL_TOKEN": "token",
        ]
        self.processes[name] = try TrialProcess(
            programs[name] ?? "Probe",
            name == "bank" ? ["bank"] : [],
            environment,
            input: name == "hub" ? self.launchLine : Data(),
            errors: "\(name).log",
            in: self.folder
        )
    }

    func restart(_ process: String) throws {
        self.processes[process]?.kill()
        try self.start(process)
    }

    func pause(_ instance: String, for duration: Duration) throws {
        guard let process = self.processes[instance] else { return }
        process.signal(SIGSTOP)
        self.loop.timer(at: self.loop.now() + duration) { process.signal(SIGCONT) }
    }

    // MARK: Publishing

    func publish<E: Event>(_ event: E) throws {
        let publication = Publication(event, from: "asker", at: .zero)
        _ = self.publisher.publish(publication.event, to: publication.topic)
        self.send()
    }

    private func connect() {
        let path = self.folder.appending(path: "hub.sock").path
        guard let link = try? FrameConnection.connect(to: path, loop: self.loop) else {
            self.loop.timer(at: self.loop.now() + .milliseconds(2)) { [weak self] in
                self?.connect()
            }
            return
        }
        self.link = link
        link.onFrame = { [weak self] in
            _ = try? self?.publisher.received($0)
            self?.send()
        }
        link.onClose = { [weak self] _ in
            self?.publisher.disconnected()
            self?.connect()
        }
        self.publisher.connected()
        self.send()
    }

    private func send() {
        let frames = self.publisher.takeOutput()
        if !frames.isEmpty { self.link?.send(frames) }
    }

    // MARK: Looking

    func wait(for what: String, until holds: () throws -> Bool) throws {
        let end = self.loop.now() + .seconds(30)
        while self.loop.now() < end {
            if try holds() { return }
            self.loop.timer(at: self.loop.now() + .milliseconds(2)) { [loop] in loop.stop() }
            try self.loop.run()
        }
        let logs = try self.logged().map(\.text).joined(separator: "\n")
        throw TrialError(description: "waited 30 s in vain for \(what)\n\(logs)")
    }

    func records() throws -> [LogRecord] {
        let path = self.folder.appending(path: "log").path
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try LogRecord.all(on: try FolderDisk(folder: path, create: false))
    }

    private func lines(of file: String) throws -> [Substring] {
        let url = self.folder.appending(path: file)
        guard FileManager.default.fileExists(atPath: url.path) else { return [] }
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { $0 }
    }

    func audit() throws -> [JSONValue] {
        try self.lines(of: "audit.ndjson").map { try JSONValue(parsing: String($0)) }
    }

    func logged() throws -> [(level: LogLevel, text: String)] {
        try self.processes.keys.sorted().flatMap { try self.lines(of: "\($0).log") }
            .compactMap { line in
                let words = line.split(separator: " ", maxSplits: 1)
                guard words.count == 2, let level = LogLevel(rawValue: String(words[0])) else {
                    return nil
                }
                return (level, String(words[1]))
            }
    }

    func bank() throws -> BankLedger {
        try BankLedger(
            reading: try FolderDisk(
                folder: self.folder.appending(path: "ledgers").path,
                create: false
            )
        )
    }
}

/// One process, whose standard input is its lifeline.
final class TrialProcess {
    private let process = Process()
    private let lifeline = Foundation.Pipe()

    init(
        _ program: String,
        _ arguments: [String],
        _ environment: [String: String],
        input: Data,
        errors: String,
        in folder: URL
    ) throws {
        let log = folder.appending(path: errors)
        if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
        let handle = try FileHandle(forWritingTo: log)
        try handle.seekToEnd()
        let products = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        self.process.executableURL = products.deletingLastPathComponent().appending(path: program)
        self.process.arguments = arguments
        self.process.environment = environment
        self.process.currentDirectoryURL = folder
        self.process.standardInput = self.lifeline
        self.process.standardOutput = FileHandle.nullDevice
        self.process.standardError = handle
        try self.process.run()
        try self.lifeline.fileHandleForWriting.write(contentsOf: input)
    }

    func signal(_ number: Int32) { Glibc.kill(self.process.processIdentifier, number) }

    /// Returns when it is gone.
    func kill() {
        guard self.process.isRunning else { return }
        self.signal(SIGKILL)
        self.process.waitUntilExit()
    }
}
