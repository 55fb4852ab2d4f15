import Chaos
import Glibc
import MeshSocket

/// One process of the topology with its pipes and its log, over all its starts.
final class LaunchedProcess {
    let spec: ProcessSpec
    let log: BoundedLog

    private let loop: EventLoop
    private let folder: String
    /// The ends of the pipes to and from the process that runs now; -1 where there is none.
    private var input: Int32 = -1
    private var output: Int32 = -1
    private var inputOffset = 0

    private static let readBytesMax = 64 * 1024
    /// How much of a dead process's output is read at the most: what started by it and outlives
    /// it could write for ever.
    private static let drainReadsMax = 32

    init(spec: ProcessSpec, loop: EventLoop, folder: String, log: BoundedLog) {
        self.spec = spec
        self.loop = loop
        self.folder = folder
        self.log = log
    }

    deinit {
        self.closePipes()
    }

    /// Starts the process; `onEnd` is called once, after its last output was read.
    func start(
        under processGuard: ProcessGuard?,
        onEnd: @escaping (ProcessExit) -> Void
    ) throws(SystemError) -> pid_t {
        self.log.begin()
        let input = try Pipe()
        let output: Pipe
        do throws(SystemError) {
            output = try Pipe()
        } catch {
            _ = close(input.readEnd)
            _ = close(input.writeEnd)
            throw error
        }
        self.input = input.writeEnd
        self.output = output.readEnd
        let pid: pid_t
        do throws(SystemError) {
            defer {
                _ = close(input.readEnd)
                _ = close(output.writeEnd)
            }
            pid = try ProcessStart(
                path: self.spec.path,
                arguments: self.spec.arguments,
                environment: self.spec.environment,
                folder: self.spec.folder ?? self.folder,
                descriptors: [
                    (source: input.readEnd, target: 0),
                    (source: output.writeEnd, target: 1),
                    (source: output.writeEnd, target: 2),
                ],
                processGuard: processGuard
            ).spawn()
            try self.watch(pid) { exit in
                processGuard?.forget(pid)
                onEnd(exit)
            }
        } catch {
            self.closePipes()
            throw error
        }
        return pid
    }

    private func watch(
        _ pid: pid_t,
        _ onEnd: @escaping (ProcessExit) -> Void
    ) throws(SystemError) {
        Pipe.setNonBlocking(self.input)
        Pipe.setNonBlocking(self.output)
        do throws(SystemError) {
            self.inputOffset = 0
            try self.loop.watch(
                self.input,
                for: .writable,
                readable: {},
                writable: { self.writeInput() }
            )
            try self.loop.watch(self.output) { _ = self.readOutput() }
            try self.loop.watchExit(of: pid, endsGroup: true) { exit in
                self.drainOutput()
                self.closePipes()
                onEnd(exit)
            }
        } catch {
            // Nobody would notice its end.
            _ = kill(-pid, SIGKILL)
            _ = waitpid(pid, nil, 0)
            throw error
        }
        self.writeInput()
    }

    /// Sends a signal to the process and those that it started.
    static func send(_ signal: ProcessSignal, to pid: pid_t) {
        let number =
            switch signal {
            case .terminate: SIGTERM
            case .kill: SIGKILL
            case .pause: SIGSTOP
            case .resume: SIGCONT
            }
        _ = kill(-pid, number)
    }

    // MARK: Pipes

    private func writeInput() {
        let bytes = self.spec.standardInput
        while self.input >= 0, self.inputOffset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                write(
                    self.input,
                    buffer.baseAddress?.advanced(by: self.inputOffset),
                    buffer.count - self.inputOffset
                )
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            // A reader that went away will be noticed by its end.
            guard count > 0 else { break }
            self.inputOffset += count
        }
        // From here on it is a lifeline only.
        if self.input >= 0 { self.loop.unwatch(self.input) }
    }

    /// Returns false where nothing is left to read for now, or for good.
    private func readOutput() -> Bool {
        guard self.output >= 0 else { return false }
        return withUnsafeTemporaryAllocation(byteCount: Self.readBytesMax, alignment: 16) {
            buffer in
            let count = read(self.output, buffer.baseAddress, buffer.count)
            if count > 0 {
                self.log.append(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
                return true
            }
            if count < 0, errno == EAGAIN || errno == EINTR { return false }
            self.closeOutput()
            return false
        }
    }

    private func drainOutput() {
        for _ in 0..<Self.drainReadsMax where !self.readOutput() { return }
    }

    private func closeOutput() {
        guard self.output >= 0 else { return }
        self.loop.unwatch(self.output)
        _ = close(self.output)
        self.output = -1
    }

    private func closePipes() {
        self.closeOutput()
        guard self.input >= 0 else { return }
        self.loop.unwatch(self.input)
        _ = close(self.input)
        self.input = -1
    }
}
