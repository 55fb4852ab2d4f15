import Glibc
import MeshSocket

/// A log file of bounded size: when it is full it becomes `NAME.1`, in place of the one before.
///
/// Also keeps the last lines, for whoever asks why a process ended. A log that cannot be written
/// loses lines and stops nothing.
final class BoundedLog {
    private static let lastLinesMax = 5
    private static let lineBytesMax = 500

    private let path: String
    private let bytesMax: Int
    private var fd: Int32 = -1
    private var size = 0
    private var lines: [String] = []
    /// The line under way, cut at its limit.
    private var partial: [UInt8] = []
    /// What kept the log from being written, the first time.
    private(set) var trouble: SystemError?

    init(path: String, bytesMax: Int) {
        self.path = path
        self.bytesMax = bytesMax
        self.open()
    }

    deinit {
        if self.fd >= 0 { _ = close(self.fd) }
    }

    /// The last lines, the newest at the end; one without an end counts.
    var lastLines: [String] {
        guard !self.partial.isEmpty else { return self.lines }
        return (self.lines + [String(decoding: self.partial, as: UTF8.self)])
            .suffix(Self.lastLinesMax)
    }

    /// Ends a line that was left unfinished and forgets the last ones: a new process writes now.
    func begin() {
        if !self.partial.isEmpty { [UInt8(ascii: "\n")].withUnsafeBytes { self.append($0) } }
        self.lines = []
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        self.remember(bytes)
        if self.size > 0, self.size + bytes.count > self.bytesMax { self.rotate() }
        guard self.fd >= 0 else { return }
        var written = 0
        while written < bytes.count {
            let count = write(
                self.fd,
                bytes.baseAddress?.advanced(by: written),
                bytes.count - written
            )
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                self.note("write")
                return
            }
            written += count
            self.size += count
        }
    }

    private func remember(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                if self.partial.count < Self.lineBytesMax { self.partial.append(byte) }
                continue
            }
            self.lines.append(String(decoding: self.partial, as: UTF8.self))
            if self.lines.count > Self.lastLinesMax { self.lines.removeFirst() }
            self.partial.removeAll(keepingCapacity: true)
        }
    }

    private func open() {
        self.fd = Glibc.open(self.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard self.fd >= 0 else { return self.note("open") }
        var status = stat()
        self.size = fstat(self.fd, &status) == 0 ? Int(status.st_size) : 0
    }

    private func rotate() {
        if self.fd >= 0 { _ = close(self.fd) }
        if rename(self.path, self.path + ".1") != 0 { self.note("rename") }
        self.open()
    }

    private func note(_ call: String) {
        let advice = "Its lines are lost; make room on the disk"
        let error = SystemError(call: call, errno: errno, path: self.path, message: advice)
        if self.trouble == nil { self.trouble = error }
    }
}
