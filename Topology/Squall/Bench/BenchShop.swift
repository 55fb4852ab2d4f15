import Glibc
import Mesh
import MeshSocket
import RealWorld

/// Runs `squall up` as anybody would, and reads what it says and what its processes need.
struct BenchShop {
    /// What one run was like.
    struct Outcome {
        var report: JSONValue
        var seconds: Double
        /// The proportional memory of each process, in kibibytes, by its program's name.
        var memory: [(program: String, kibibytes: Int)] = []
    }

    /// Runs the shop with these words in a folder below `.squall`; after `looking` seconds its
    /// memory is looked at.
    static func run(_ words: [String], looking: Double? = nil) throws(ControlError) -> Outcome {
        let folder = "\(CommandContext.workingFolder)/.squall/bench-\(FileSystem.processID)"
        defer { FileSystem.removeTree(folder) }
        FileSystem.removeTree(folder)
        do {
            try FileSystem.makeFolders(folder)
        } catch {
            throw ControlError(error.message)
        }
        let output = open("\(folder)/report", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw ControlError("cannot write in \(folder)") }
        defer { close(output) }
        let watch = Stopwatch()
        let pid: pid_t
        do {
            pid = try ProcessStart(
                path: "\(FileSystem.executableFolder())/squall",
                arguments: ["up", "--json", "--run-folder", "\(folder)/run"] + words,
                environment: FileSystem.environment,
                descriptors: [(source: output, target: 1), (source: 2, target: 2)]
            ).spawn()
        } catch {
            throw ControlError("\(error)")
        }
        var memory: [(program: String, kibibytes: Int)] = []
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) != pid {
            if let looking, memory.isEmpty, watch.seconds > looking {
                memory = Self.memory(of: pid)
            }
            guard watch.seconds < 300 else {
                kill(pid, SIGKILL)
                waitpid(pid, &status, 0)
                throw ControlError("squall up did not end within five minutes")
            }
            usleep(2000)
        }
        let seconds = watch.seconds
        guard let text = try? FileSystem.read("\(folder)/report"),
            let report = try? JSONValue(parsingUTF8: text), report["verdict"]?.string == "passed"
        else {
            throw ControlError(
                "the shop was not judged to hold, so its times mean nothing",
                hint: "squall up \(words.joined(separator: " "))"
            )
        }
        return Outcome(report: report, seconds: seconds, memory: memory)
    }

    /// The memory of a process and of those that it started.
    private static func memory(of parent: pid_t) -> [(program: String, kibibytes: Int)] {
        var found: [(program: String, kibibytes: Int)] = []
        for name in FileSystem.names(in: "/proc") {
            guard let pid = Int(name),
                let status = try? FileSystem.readText("/proc/\(name)/stat"),
                let end = status.lastIndex(of: ")")
            else { continue }
            let fields = status[end...].split(separator: " ")
            guard pid == Int(parent) || fields.count > 2 && fields[2] == "\(parent)",
                let kibibytes = MemoryMeter.kibibytes(of: pid),
                let start = status.firstIndex(of: "(")
            else { continue }
            found.append((String(status[status.index(after: start)..<end]), kibibytes))
        }
        return found
    }

    /// Writes a history of that many orders, and returns its path.
    static func history(_ orders: Int) throws(ControlError) -> String {
        let folder = "\(CommandContext.workingFolder)/.squall"
        let path = "\(folder)/bench-history-\(orders).csv"
        var text = "customer,date,quantity,dollars\n"
        for number in 0..<orders {
            let (customer, day) = (number % 997 + 1, number * 28 / max(orders, 1) + 1)
            text += "\(customer),1997-01-\(day < 10 ? "0" : "")\(day),\(number % 3 + 1),"
            text += "\(number % 40 + 5).77\n"
        }
        do {
            try FileSystem.makeFolders(folder)
            try FileSystem.write(text, to: path)
        } catch {
            throw ControlError(error.message)
        }
        return path
    }
}
