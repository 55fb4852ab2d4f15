import Glibc
import Mesh

/// A `squall`, or another program, that runs in a folder of its own, with everything it writes.
final class SquallProcess {
    let pid: pid_t
    private let output: String
    private let errors: String
    private var status: Int32?

    /// The folder of the built executables: the one that this test bundle lies in.
    static let executables: String = {
        let maps = TestFolder.read("/proc/self/maps")
        for line in maps.split(separator: "\n") where line.hasSuffix("PackageTests.xctest") {
            guard let start = line.firstIndex(of: "/"), let end = line.lastIndex(of: "/") else {
                continue
            }
            return String(line[start..<end])
        }
        return ".build/debug"
    }()

    init(
        _ arguments: [String],
        in folder: TestFolder,
        environment: [String] = [],
        program: String = "\(SquallProcess.executables)/squall"
    ) throws {
        let number = folder.nextNumber()
        self.output = "\(folder.path)/out-\(number)"
        self.errors = "\(folder.path)/err-\(number)"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, self.output, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, self.errors, flags, 0o600)
        let shell = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder.path, program]
        var words: [UnsafeMutablePointer<CChar>?] = (shell + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            (["PATH=/usr/bin:/bin"] + environment).map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, "/bin/sh", &actions, nil, &words, &variables)
        guard result == 0 else { throw Failure("cannot start \(program): error \(result)") }
        self.pid = pid
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    var standardOutput: String { TestFolder.read(self.output) }
    var standardError: String { TestFolder.read(self.errors) }

    func signal(_ number: Int32) { kill(self.pid, number) }

    /// Waits for the end and returns the exit code, 128 + the signal for one by signal.
    func wait(seconds: Int = 60) throws -> Int32 {
        if let status = self.status { return status }
        try Deadline.wait(seconds: seconds, for: "the end of squall") {
            var status: Int32 = 0
            guard waitpid(self.pid, &status, WNOHANG) == self.pid else { return false }
            self.status = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F)
            return true
        }
        return self.status ?? -1
    }

    /// Ends it for good, where a test has given up on it.
    func destroy() {
        guard self.status == nil else { return }
        kill(self.pid, SIGKILL)
        _ = try? self.wait(seconds: 5)
    }

    /// The pids of the processes that it has started.
    var children: [pid_t] {
        TestFolder.read("/proc/\(self.pid)/task/\(self.pid)/children").split(separator: " ")
            .compactMap { pid_t($0) }
    }
}

/// Waits until something holds, and fails at a deadline instead of hanging.
enum Deadline {
    static func wait(
        seconds: Int,
        for what: String,
        _ holds: () throws -> Bool
    ) throws {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let end = now.tv_sec + seconds
        while !(try holds()) {
            clock_gettime(CLOCK_MONOTONIC, &now)
            guard now.tv_sec < end else {
                throw SquallProcess.Failure("waited \(seconds) s in vain for \(what)")
            }
            usleep(5_000)
        }
    }
}

/// A folder that a test works in; it is removed afterwards.
final class TestFolder {
    let path: String
    private var number = 0

    init() throws {
        var template = Array("/tmp/squall-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SquallProcess.Failure("cannot make a folder in /tmp")
        }
        self.path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    deinit { Self.remove(self.path) }

    func nextNumber() -> Int {
        self.number += 1
        return self.number
    }

    /// Runs a command to its end.
    func squall(
        _ line: String,
        environment: [String] = []
    ) throws -> (code: Int32, output: String, errors: String) {
        let words = line.split(separator: " ").map(String.init)
        let process = try SquallProcess(words, in: self, environment: environment)
        defer { process.destroy() }
        let code = try process.wait()
        return (code, process.standardOutput, process.standardError)
    }

    /// Runs another program to its end and returns what it writes; it must succeed.
    func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = try SquallProcess(arguments, in: self, program: program)
        defer { process.destroy() }
        guard try process.wait() == 0 else {
            throw SquallProcess.Failure("\(program): \(process.standardError)")
        }
        return process.standardOutput
    }

    /// Runs a command that must succeed, and returns its answer.
    func json(_ line: String) throws -> JSONValue {
        let result = try self.squall(line + " --json")
        guard result.code == 0, let json = try? JSONValue(parsing: result.output) else {
            throw SquallProcess.Failure("\(line): \(result.code) \(result.output)\(result.errors)")
        }
        return json
    }

    func write(_ text: String, to name: String) throws {
        guard let file = fopen("\(self.path)/\(name)", "w") else {
            throw SquallProcess.Failure("cannot write \(name)")
        }
        fputs(text, file)
        fclose(file)
    }

    /// The folder of the only run, or of the last one.
    var run: String { "\(self.path)/.squall/runs/latest" }

    static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        for name in self.names(in: path) { self.remove("\(path)/\(name)") }
        rmdir(path)
    }
}
