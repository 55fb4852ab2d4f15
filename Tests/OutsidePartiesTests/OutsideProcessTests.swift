import Events
import Foundation
import Mesh
import MeshSocket
import OutsideParties
import ServiceKit
import Testing

/// The two ends of a pipe, which no other process inherits.
private struct Ends {
    let reading: FileHandle
    let writing: FileHandle

    init() throws {
        var descriptors: [Int32] = [-1, -1]
        try #require(pipe(&descriptors) == 0)
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        self.reading = FileHandle(fileDescriptor: descriptors[0], closeOnDealloc: true)
        self.writing = FileHandle(fileDescriptor: descriptors[1], closeOnDealloc: true)
    }
}

/// A folder that is gone with the test.
private final class TemporaryFolder {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("squall-\(UUID())")

    init() throws {
        try FileManager.default.createDirectory(
            at: self.url,
            withIntermediateDirectories: true
        )
    }

    deinit { try? FileManager.default.removeItem(at: self.url) }
}

/// A process of an outside party in a folder of its own, and a caller without hurry.
private final class PartyProcess {
    let folder: TemporaryFolder
    private let process = Process()
    private let input: Ends
    private let output: Ends
    private let errors: Ends

    init(
        _ kind: String = "bank",
        settings: String = "{}",
        in folder: TemporaryFolder? = nil
    ) throws {
        self.folder = try folder ?? TemporaryFolder()
        self.input = try Ends()
        self.output = try Ends()
        self.errors = try Ends()
        let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        self.process.executableURL = products.deletingLastPathComponent()
            .appendingPathComponent("Outside")
        self.process.arguments = [kind]
        self.process.currentDirectoryURL = self.folder.url
        self.process.environment = ["SQUALL_NAME": "party", "SQUALL_SETTINGS": settings]
        self.process.standardInput = self.input.reading
        self.process.standardOutput = self.output.writing
        self.process.standardError = self.errors.writing
        try self.process.run()
        // Only the process holds these ends now, so its end is the end of what it says.
        for end in [self.input.reading, self.output.writing, self.errors.writing] {
            try end.close()
        }
    }

    deinit {
        if self.process.isRunning { kill(self.process.processIdentifier, SIGKILL) }
    }

    /// Waits until it says that it is ready; false where it ended instead.
    func isReady() -> Bool {
        self.output.reading.availableData == Data("ready\n".utf8)
    }

    func signal(_ signal: Int32) { kill(self.process.processIdentifier, signal) }
    func closeInput() throws { try self.input.writing.close() }

    /// Waits for its end, and returns its exit code and what it had to say.
    func end() throws -> (code: Int32, words: String) {
        let words = try self.errors.reading.readToEnd() ?? Data()
        self.process.waitUntilExit()
        return (self.process.terminationStatus, String(decoding: words, as: UTF8.self))
    }

    var ledger: BankLedger {
        get throws {
            let path = self.folder.url.appendingPathComponent("ledgers").path
            return try BankLedger(reading: FolderDisk(folder: path))
        }
    }

    /// Sends bytes on a new connection and returns the answers until `count` or the end.
    func ask(_ bytes: [UInt8], answers count: Int) throws -> [OutsideFrame] {
        let path = self.folder.url.appendingPathComponent("party.sock").path
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &limit,
            socklen_t(MemoryLayout<timeval>.size)
        )
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(connected == 0)
        try #require(send(descriptor, bytes, bytes.count, 0) == bytes.count)

        var received: [UInt8] = []
        var frames: [OutsideFrame] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while frames.count < count {
            let length = recv(descriptor, &buffer, buffer.count, 0)
            guard length > 0 else { break }
            received += buffer[..<length]
            frames = try Self.frames(received)
        }
        return frames
    }

    private static func frames(_ bytes: [UInt8]) throws -> [OutsideFrame] {
        try bytes.withUnsafeBytes { raw in
            var frames: [OutsideFrame] = []
            var offset = 0
            while raw.count - offset >= 4 {
                let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                let end = offset + 4 + Int(UInt32(littleEndian: word))
                guard end <= raw.count else { break }
                let body = UnsafeRawBufferPointer(rebasing: raw[(offset + 4)..<end])
                frames.append(try OutsideFrame.parse(body))
                offset = end
            }
            return frames
        }
    }
}

// One after the other: a process must not inherit the pipes of another one being started.
@Suite(.serialized) struct OutsideProcessTests {
    private func charge(_ key: String, id: UInt64) -> [UInt8] {
        let request = BankRequest(kind: .charge, key: key, amount: Money(cents: 100))
        return OutsideFrame.request(id: id, body: request.encoded())
    }

    @Test func `a bank killed with -9 remembers every charge that it answered`() throws {
        let first = try PartyProcess()
        try #require(first.isReady())
        let requests = (1...40).flatMap { self.charge("order-\($0)", id: UInt64($0)) }
        let answers = try first.ask(requests, answers: 40)
        #expect(answers.map(\.id) == Array(1...40))
        first.signal(SIGKILL)
        _ = try first.end()

        let second = try PartyProcess(in: first.folder)
        try #require(second.isReady())
        let again = try second.ask(requests, answers: 40)
        #expect(again.map(\.body) == answers.map(\.body))
        #expect(try second.ledger.captures.count == 40)
    }

    @Test func `a bank ends in order when asked, and takes its socket with it`() throws {
        let bank = try PartyProcess()
        try #require(bank.isReady())
        bank.signal(SIGTERM)
        #expect(try bank.end().code == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: bank.folder.url.path)
        #expect(left == ["ledgers"])
    }

    @Test func `a bank ends when its launcher is gone`() throws {
        let bank = try PartyProcess()
        try #require(bank.isReady())
        try bank.closeInput()
        #expect(try bank.end().code == 0)
    }

    @Test(
        arguments: [
            [0, 0, 0, 0x80], [1, 0, 0, 0, 7], [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0], Array("GET / HTTP/1.1\r\n\r\n".utf8),
        ] as [[UInt8]]
    )
    func `a caller that talks garbage is hung up on, and nobody else`(bytes: [UInt8]) throws {
        let bank = try PartyProcess()
        try #require(bank.isReady())
        #expect(try bank.ask(bytes, answers: 1).isEmpty)
        #expect(try bank.ask(self.charge("order-1", id: 1), answers: 1).count == 1)
    }

    @Test func `what can't be started says why and how it ends`() throws {
        let unknown = try PartyProcess("post").end()
        #expect(unknown.code == 2)
        #expect(unknown.words.contains("there are bank and mail"))
        let unreadable = try PartyProcess(settings: "{").end()
        #expect(unreadable.code == 2)
        #expect(unreadable.words.contains("SQUALL_SETTINGS"))
    }

    @Test func `a damaged ledger is refused by line, and left as it is`() throws {
        let first = try PartyProcess()
        try #require(first.isReady())
        let requests = (1...3).flatMap { self.charge("order-\($0)", id: UInt64($0)) }
        #expect(try first.ask(requests, answers: 3).count == 3)
        first.signal(SIGKILL)
        _ = try first.end()

        let file = first.folder.url.appendingPathComponent("ledgers/bank.ledger")
        var damaged = try Data(contentsOf: file)
        damaged[20] ^= 1
        try damaged.write(to: file)
        let second = try PartyProcess(in: first.folder)
        #expect(!second.isReady())
        let end = try second.end()
        #expect(end.code == 3)
        #expect(end.words.contains("bank.ledger:1: "))
        #expect(try Data(contentsOf: file) == damaged)
    }

    @Test func `the mail relay runs too, and knows its faults`() throws {
        let mail = try PartyProcess("mail")
        try #require(mail.isReady())
        let request = MailRequest(kind: .send, key: "order-1-confirmed", text: "Hello")
        let framed = OutsideFrame.request(id: 7, body: request.encoded())
        let answer = try #require(try mail.ask(framed, answers: 1).first)
        #expect(try MailAnswer(decoding: answer.body).outcome == .sent)

        let down = Array("{\"do\":\"fault\",\"kind\":\"down\"}".utf8)
        let command = OutsideFrame(kind: .adminRequest, id: 8, body: down).framed
        #expect(try mail.ask(command, answers: 1).first?.kind == .adminAnswer)
        #expect(try mail.ask(framed, answers: 1).isEmpty)
    }
}
