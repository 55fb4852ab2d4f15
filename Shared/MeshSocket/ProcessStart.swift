import CSystem
import Glibc

/// A program to start as a child.
///
/// The child has a process group of its own, the default signal handling and the descriptors
/// named here; of the others only standard input, output and error. The kernel kills it when the
/// *thread* that started it ends, so only a thread that lives as long as the process may start
/// one: the main thread.
package struct ProcessStart: Sendable {
    /// The executable; not searched for.
    package var path: String
    /// What follows the program's name.
    package var arguments: [String]
    /// The whole environment.
    package var environment: [(name: String, value: String)]
    /// Where the child starts; the parent's folder where nil.
    package var folder: String?
    /// Which descriptor of this process becomes which of the child.
    package var descriptors: [(source: Int32, target: Int32)]
    /// Who kills what the child leaves behind when this process is killed; nil where it is known to
    /// start nothing.
    package var processGuard: ProcessGuard?

    package init(
        path: String,
        arguments: [String] = [],
        environment: [(name: String, value: String)] = [],
        folder: String? = nil,
        descriptors: [(source: Int32, target: Int32)] = [],
        processGuard: ProcessGuard? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.folder = folder
        self.descriptors = descriptors
        self.processGuard = processGuard
    }

    /// Starts the program and returns its process id; throws where it could not be executed.
    package func spawn() throws(SystemError) -> pid_t {
        let environment = self.environment.map { "\($0.name)=\($0.value)" }
        let descriptors = self.descriptors.map {
            squall_descriptor(source: $0.source, target: $0.target)
        }
        var step = SQUALL_SPAWN_NONE
        var number: Int32 = 0
        let pid = Self.withCStrings([self.path] + self.arguments) { arguments in
            Self.withCStrings(environment) { environment in
                Self.withOptionalCString(self.folder) { folder in
                    squall_spawn(
                        self.path,
                        arguments,
                        environment,
                        folder,
                        descriptors,
                        Int32(descriptors.count),
                        self.processGuard?.descriptor ?? -1,
                        &step,
                        &number
                    )
                }
            }
        }
        guard pid > 0 else { throw self.error(step, number) }
        return pid
    }

    private func error(_ step: squall_spawn_step, _ number: Int32) -> SystemError {
        switch step {
        case SQUALL_SPAWN_FORK:
            return SystemError(
                call: "vfork",
                errno: number,
                path: self.path,
                message: "Raise the limit of processes (ulimit -u) or stop some"
            )

        case SQUALL_SPAWN_FOLDER:
            return SystemError(call: "chdir", errno: number, path: self.folder ?? "")

        case SQUALL_SPAWN_EXECUTE:
            return SystemError(
                call: "execve",
                errno: number,
                path: self.path,
                message: "Check that the program exists and may be executed; build it if need be"
            )

        case SQUALL_SPAWN_DESCRIPTORS:
            return SystemError(
                call: "dup2",
                errno: number,
                path: self.path,
                message: EventLoop.limitAdvice
            )

        default:
            return SystemError(
                call: "prctl",
                errno: number,
                path: self.path,
                message: "The process that starts it is going away"
            )
        }
    }

    private static func withOptionalCString<Result>(
        _ text: String?,
        _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let text else { return body(nil) }
        return text.withCString(body)
    }

    /// Calls `body` with a null-terminated array of C strings.
    private static func withCStrings<Result>(
        _ texts: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else {
                preconditionFailure("a null-terminated array has at least one element")
            }
            return body(base)
        }
    }
}
