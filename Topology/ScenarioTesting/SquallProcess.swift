import Glibc
import RealWorld

/// A run of the `squall` that is built beside the tests.
///
/// A process of its own, because a run on processes has the folder, the signals and the children
/// of its process to itself.
enum SquallProcess {
    /// Why it could not be had.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// The folder of the built executables: the one that the test bundle lies in.
    static let executables: String = {
        let maps = (try? FileSystem.readText("/proc/self/maps")) ?? ""
        for line in maps.split(separator: "\n") where line.hasSuffix("PackageTests.xctest") {
            guard let start = line.firstIndex(of: "/"), let end = line.lastIndex(of: "/") else {
                continue
            }
            return String(line[start..<end])
        }
        return FileSystem.executableFolder()
    }()

    /// Runs it in a folder to its end; returns its exit code, and what it wrote to files that begin
    /// with `path`.
    static func run(
        _ arguments: [String],
        in folder: String,
        writing path: String,
        within seconds: Int
    ) async throws -> (code: Int32, output: String, errors: String) {
        let program = "\(self.executables)/squall"
        guard FileSystem.exists(program) else {
            throw Failure(description: "there is no \(program): swift build --product squall")
        }
        let pid = try self.start(program, arguments, in: folder, writing: path)
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            if clock.now >= end {
                kill(pid, SIGKILL)
                waitpid(pid, &status, 0)
                throw Failure(description: "squall was not done within \(seconds) s")
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return (
            status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F),
            try FileSystem.readText("\(path).out"), try FileSystem.readText("\(path).err")
        )
    }

    private static func start(
        _ program: String,
        _ arguments: [String],
        in folder: String,
        writing path: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "\(path).out", flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, "\(path).err", flags, 0o600)
        let shell = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder, program]
        var words: [UnsafeMutablePointer<CChar>?] =
            (shell + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, "/bin/sh", &actions, nil, &words, environ)
        guard result == 0 else {
            throw Failure(description: "cannot start \(program): error \(result)")
        }
        return pid
    }
}
