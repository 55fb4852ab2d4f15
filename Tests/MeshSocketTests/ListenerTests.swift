import CSystem
import Glibc
import Mesh
import MeshSocket
import TestSupport
import Testing

struct ListenerTests {
    let folder: TemporaryFolder
    var socket: String { self.folder.file("hub.sock") }

    init() throws { self.folder = try TemporaryFolder() }

    @Test func `the socket of an owner that died is taken over`() async throws {
        let fd = squall_unix_socket()
        #expect(squall_bind(fd, self.socket, self.socket.utf8.count) == 0)
        #expect(listen(fd, 1) == 0)
        _ = close(fd)
        let socket = self.socket
        let accepted = try await onLoop { loop in
            var accepted = 0
            let listener = try FrameListener(path: socket, loop: loop) { _ in
                accepted += 1
                loop.stop()
            }
            _ = try FrameConnection.connect(to: socket, loop: loop)
            try loop.runUntilStopped()
            listener.close()
            return accepted
        }
        #expect(accepted == 1)
    }

    @Test func `a socket on which somebody listens is left alone`() async throws {
        let socket = self.socket
        let error = try await onLoop { loop in
            let first = try FrameListener(path: socket, loop: loop) { _ in }
            defer { first.close() }
            do throws(SystemError) {
                _ = try FrameListener(path: socket, loop: loop) { _ in }
                return nil as SystemError?
            } catch {
                return error
            }
        }
        #expect(error?.errno == EADDRINUSE)
        #expect(error?.description.contains("Another process listens there") == true)
    }

    @Test func `a file that is no socket is never deleted`() async throws {
        let fd = open(self.socket, O_CREAT | O_WRONLY, 0o600)
        _ = close(fd)
        let socket = self.socket
        let error = try await onLoop { loop in
            do throws(SystemError) {
                _ = try LineListener(path: socket, loop: loop) { _ in }
                return nil as SystemError?
            } catch {
                return error
            }
        }
        #expect(error?.description.contains("no socket") == true)
        #expect(access(self.socket, F_OK) == 0)
    }

    @Test func `a path that is too long is refused with its length and the limit`() async throws {
        let path = self.folder.file(
            String(repeating: "x", count: 108 - self.folder.path.utf8.count)
        )
        let errors = try await onLoop { loop in
            var errors: [SystemError] = []
            do throws(SystemError) { _ = try FrameListener(path: path, loop: loop) { _ in } } catch
            {
                errors.append(error)
            }
            do throws(SystemError) { _ = try FrameConnection.connect(to: path, loop: loop) } catch {
                errors.append(error)
            }
            return errors
        }
        #expect(errors.count == 2)
        for error in errors {
            #expect(error.errno == ENAMETOOLONG)
            #expect(error.description.contains("109 bytes"))
            #expect(error.description.contains("at most 107"))
        }
    }

    @Test func `a path of exactly 107 bytes works`() async throws {
        let path = self.folder.file(
            String(repeating: "x", count: 106 - self.folder.path.utf8.count)
        )
        #expect(path.utf8.count == 107)
        let accepted = try await onLoop { loop in
            var accepted = false
            let listener = try FrameListener(path: path, loop: loop) { _ in
                accepted = true
                loop.stop()
            }
            _ = try FrameConnection.connect(to: path, loop: loop)
            try loop.runUntilStopped()
            listener.close()
            return accepted
        }
        #expect(accepted)
    }

    @Test func `nobody listening is an error that says so`() async throws {
        let socket = self.socket
        await #expect {
            try await onLoop { loop in _ = try FrameConnection.connect(to: socket, loop: loop) }
        } throws: { error in
            "\(error)".contains(socket) && "\(error)".contains("Nobody listens there")
        }
    }

    @Test func `only the owner may connect, and closing deletes the socket file`() async throws {
        let socket = self.socket
        let mode = try await onLoop { loop in
            let listener = try FrameListener(path: socket, loop: loop) { _ in }
            var status = stat()
            guard lstat(socket, &status) == 0 else { throw TimedOut() }
            listener.close()
            return status.st_mode & 0o777
        }
        #expect(mode == 0o600)
        #expect(access(self.socket, F_OK) != 0)
    }

    @Test func `closing leaves alone a socket that another has put in its place`() async throws {
        let socket = self.socket
        try await onLoop { loop in
            let first = try FrameListener(path: socket, loop: loop) { _ in }
            // Keeps the first one's inode, so that the second cannot get the same number.
            link(socket, socket + ".kept")
            unlink(socket)
            let second = try FrameListener(path: socket, loop: loop) { _ in }
            first.close()
            let client = try FrameConnection.connect(to: socket, loop: loop)
            client.close()
            second.close()
        }
    }

    @Test func `a caller beyond the limit is hung up on, and one who leaves makes room`()
        async throws
    {
        let socket = self.socket
        let (first, second, third) = try await onLoop { loop in
            var served = 0
            let listener = try LineListener(path: socket, loop: loop, connectionsMax: 1) {
                served += 1
                $0.send(line: "welcome")
            }
            func call(then next: @escaping (LineConnection, String) -> Void) throws {
                let caller = try LineConnection.connect(to: socket, loop: loop)
                caller.onLine = { next(caller, $0) }
                caller.onClose = { if $0 != .local { next(caller, "hung up") } }
            }
            var answers: [String] = []
            // The listener notices that the first one left as soon as no process that another test
            // starts at the same moment has a copy of the descriptor.
            func callAgain() {
                try? call { third, answer in
                    if answer == "hung up" { return callAgain() }
                    answers.append(answer)
                    third.close()
                    loop.stop()
                }
            }
            try call { first, answer in
                answers.append(answer)
                try? call { _, answer in
                    answers.append(answer)
                    first.close()
                    callAgain()
                }
            }
            try loop.runUntilStopped()
            listener.close()
            return (answers[0], answers[1], answers[2])
        }
        #expect(first == "welcome")
        #expect(second == "hung up")
        #expect(third == "welcome")
    }

    @Test func `running out of file descriptors makes callers wait and does not spin`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let socket = folder.file("hub.sock")
            let loop = try EventLoop()
            var accepted = 0
            var troubles = 0
            var iterations = 0
            let listener = try FrameListener(path: socket, loop: loop) { _ in
                accepted += 1
                loop.stop()
            }
            listener.onTrouble = { _ in troubles += 1 }
            loop.afterEvents = { iterations += 1 }
            let client = try RawClient(socket)
            var hoarded: [Int32] = []
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            guard setrlimit(__rlimit_resource_t(7), &limit) == 0 else { exit(2) }
            while true {
                let fd = dup(client.fd)
                if fd < 0 { break }
                hoarded.append(fd)
            }
            loop.timer(at: loop.now() + .milliseconds(350)) {
                for fd in hoarded { _ = close(fd) }
            }
            try loop.runUntilStopped()
            listener.close()
            rmdir(folder.path)
            let isCalm = accepted == 1 && (1...5).contains(troubles) && iterations < 20
            exit(isCalm ? 0 : 1)
        }
    }
}

struct LineConnectionTests {
    let folder: TemporaryFolder
    var socket: String { self.folder.file("control.sock") }

    init() throws { self.folder = try TemporaryFolder() }

    @Test func `lines arrive whole wherever the bytes are split`() async throws {
        let bytes = Array("status\n\nZürich → Köln\r\nlast\n".utf8)
        let socket = self.socket
        let received = try await onLoop { loop in
            var received: [[String]] = []
            let listener = try LineListener(path: socket, loop: loop) { connection in
                let index = received.count
                received.append([])
                connection.onLine = { received[index].append($0) }
                connection.onClose = { _ in if index == bytes.count { loop.stop() } }
            }
            var steps: [() -> Void] = []
            for split in 0...bytes.count {
                let client = try RawClient(socket)
                steps.append { client.write(Array(bytes[..<split])) }
                steps.append { client.write(Array(bytes[split...])) }
                steps.append { client.close() }
            }
            loop.eachIteration(steps)
            try loop.runUntilStopped()
            listener.close()
            return received
        }
        #expect(received.count == bytes.count + 1)
        for (split, lines) in received.enumerated() {
            #expect(lines == ["status", "", "Zürich → Köln", "last"], "split at \(split)")
        }
    }

    @Test func `a line without an end is cut off at the limit`() async throws {
        let socket = self.socket
        let (lines, reason) = try await onLoop { loop in
            var lines: [String] = []
            var reason: CloseReason?
            let listener = try LineListener(path: socket, loop: loop, lineBytesMax: 100) {
                $0.onLine = { lines.append($0) }
                $0.onClose = {
                    reason = $0
                    loop.stop()
                }
            }
            let client = try RawClient(socket)
            client.write(Array((String(repeating: "a", count: 100) + "\n").utf8))
            client.write(Array(repeating: UInt8(ascii: "b"), count: 101))
            try loop.runUntilStopped()
            listener.close()
            client.close()
            return (lines, reason)
        }
        #expect(lines == [String(repeating: "a", count: 100)])
        #expect(reason == .lineTooLong(100))
    }
}
