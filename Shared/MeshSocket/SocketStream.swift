import CSystem
import Glibc
import Mesh

/// A connected socket on a loop: reads in bulk, writes at once where it can and later where not.
///
/// The watched descriptor keeps the stream alive; closing lets go of everything.
final class SocketStream {
    /// Takes bytes from the front and returns how many; the rest comes again with what follows.
    ///
    /// Stops early once the stream is paused or closed.
    var parse: (UnsafeRawBufferPointer) -> Int = { $0.count }
    var onClosed: (CloseReason) -> Void = { _ in }
    /// Called when everything that had to wait was handed to the kernel.
    var onDrained: () -> Void = {}
    /// Called after `onClosed`, for the listener to count.
    var onReleased: () -> Void = {}

    let peer: PeerCredentials
    private(set) var isClosed = false
    private(set) var isPaused = false
    private(set) var bufferedBytes = 0

    /// Chunks up to this size are joined while they wait.
    private static let joinedBytesMax = 64 * 1024
    /// How much one stream may write before others get their turn.
    private static let turnBytesMax = 1024 * 1024

    private let fd: Int32
    private let loop: EventLoop
    /// What was read and not taken yet: a part of a frame, or what came before a pause.
    private var carry: [UInt8] = []
    private var waiting: [[UInt8]] = []
    private var waitingHead = 0
    private var headOffset = 0
    /// The peer reads no more: what is sent is dropped, and reading will find the end.
    private var outputBroken = false
    private var closesWhenSent = false

    /// Takes over the descriptor, and closes it where this fails.
    init(fd: Int32, loop: EventLoop) throws(SystemError) {
        self.fd = fd
        self.loop = loop
        do throws(SystemError) {
            let identity = try UnixAddress.credentials(of: fd)
            self.peer = PeerCredentials(pid: identity.pid, uid: identity.uid, gid: identity.gid)
        } catch {
            _ = Glibc.close(fd)
            throw error
        }
        do throws(SystemError) {
            try loop.watch(
                fd,
                readable: { self.readyToRead() },
                writable: { self.readyToWrite() }
            )
        } catch {
            _ = Glibc.close(fd)
            throw error
        }
    }

    // MARK: Reading

    private func readyToRead() {
        // The frame that is under way is small enough to continue in the shared buffer, or it
        // grows in memory of its own.
        let buffer = self.loop.readBuffer
        let inPlace = self.carry.count <= buffer.count / 2
        let kept = inPlace ? self.carry.count : 0
        let count = recv(self.fd, buffer.baseAddress?.advanced(by: kept), buffer.count - kept, 0)
        guard count > 0 else {
            self.readFailed(count: count)
            return
        }
        var carry: [UInt8] = []
        swap(&carry, &self.carry)
        guard inPlace else {
            carry.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
            self.parseOwned(carry)
            return
        }
        carry.withUnsafeBytes { buffer.copyMemory(from: $0) }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[0..<kept + count])
        let taken = self.parse(bytes)
        if !self.isClosed, taken < bytes.count {
            self.carry = Array(bytes[taken...])
        }
    }

    private func readFailed(count: Int) {
        if count == 0 || errno == ECONNRESET || errno == EPIPE {
            self.close(.peer)
        } else if errno != EAGAIN && errno != EINTR {
            self.close(.error(.last("recv")))
        }
    }

    private func parseOwned(_ bytes: [UInt8]) {
        let taken = bytes.withUnsafeBytes { self.parse($0) }
        guard !self.isClosed, taken < bytes.count else { return }
        self.carry = taken == 0 ? bytes : Array(bytes[taken...])
    }

    func pauseReading() {
        guard !self.isClosed, !self.isPaused else { return }
        self.isPaused = true
        self.updateInterest()
    }

    func resumeReading() {
        guard !self.isClosed, self.isPaused, !self.closesWhenSent else { return }
        self.isPaused = false
        self.updateInterest()
        guard !self.carry.isEmpty else { return }
        self.loop.soon {
            guard !self.isClosed, !self.isPaused, !self.carry.isEmpty else { return }
            var carry: [UInt8] = []
            swap(&carry, &self.carry)
            self.parseOwned(carry)
        }
    }

    // MARK: Writing

    func send(_ bytes: [UInt8]) {
        guard !self.isClosed, !self.outputBroken, !self.closesWhenSent, !bytes.isEmpty else {
            return
        }
        guard self.bufferedBytes == 0 else {
            self.enqueue(bytes)
            return
        }
        guard let sent = self.write(bytes, from: 0), sent < bytes.count else { return }
        self.waiting = [bytes]
        self.waitingHead = 0
        self.headOffset = sent
        self.bufferedBytes = bytes.count - sent
        self.updateInterest()
    }

    /// Sends bytes and empties the array, whose memory stays the caller's where nothing must wait.
    func send(emptying bytes: inout [UInt8]) {
        var sent = bytes.count
        if !self.isClosed, !self.outputBroken, !self.closesWhenSent, !bytes.isEmpty {
            guard self.bufferedBytes == 0 else {
                self.enqueue(bytes)
                return Self.empty(&bytes)
            }
            sent = self.write(bytes, from: 0) ?? bytes.count
        }
        guard sent < bytes.count else { return Self.empty(&bytes) }
        self.waiting = [bytes]
        bytes = []
        self.waitingHead = 0
        self.headOffset = sent
        self.bufferedBytes = self.waiting[0].count - sent
        self.updateInterest()
    }

    /// Empties an array; what one burst needed is not kept for ever.
    private static func empty(_ bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: bytes.capacity <= self.turnBytesMax)
    }

    private func enqueue(_ bytes: [UInt8]) {
        self.bufferedBytes += bytes.count
        let last = self.waiting.count - 1
        if self.waiting[last].count + bytes.count <= Self.joinedBytesMax {
            self.waiting[last].append(contentsOf: bytes)
        } else {
            self.waiting.append(bytes)
        }
    }

    /// Returns how many bytes the kernel took, or nil where it takes no more for good.
    private func write(_ bytes: [UInt8], from offset: Int) -> Int? {
        while true {
            let count = bytes.withUnsafeBytes { buffer in
                squall_send(
                    self.fd,
                    buffer.baseAddress?.advanced(by: offset),
                    buffer.count - offset
                )
            }
            if count >= 0 { return count }
            switch errno {
            case EINTR:
                continue

            case EAGAIN:
                return 0

            case EPIPE, ECONNRESET:
                self.breakOutput()
                return nil

            default:
                let error = SystemError.last("send")
                self.breakOutput()
                self.loop.soon { self.close(.error(error)) }
                return nil
            }
        }
    }

    private func readyToWrite() {
        var written = 0
        while self.bufferedBytes > 0 {
            guard written < Self.turnBytesMax else { return }
            let head = self.waiting[self.waitingHead]
            guard let count = self.write(head, from: self.headOffset) else { return }
            guard count > 0 else { return }
            written += count
            self.bufferedBytes -= count
            self.headOffset += count
            if self.headOffset == head.count {
                self.waiting[self.waitingHead] = []
                self.waitingHead += 1
                self.headOffset = 0
                self.dropWritten()
            }
        }
        self.waiting = []
        self.waitingHead = 0
        if self.closesWhenSent {
            self.close(.local)
            return
        }
        self.updateInterest()
        self.onDrained()
    }

    /// Lets go of the places of chunks that were written: a reader that is always a little behind
    /// would make them ever more.
    private func dropWritten() {
        guard self.waitingHead >= 64, self.waitingHead * 2 >= self.waiting.count else { return }
        self.waiting.removeFirst(self.waitingHead)
        self.waitingHead = 0
    }

    private func breakOutput() {
        self.outputBroken = true
        self.waiting = []
        self.waitingHead = 0
        self.headOffset = 0
        self.bufferedBytes = 0
        if self.closesWhenSent {
            self.loop.soon { self.close(.local) }
        }
        self.updateInterest()
    }

    private func updateInterest() {
        var interest: EventLoop.Interest = []
        if !self.isPaused { interest.insert(.readable) }
        if self.bufferedBytes > 0 { interest.insert(.writable) }
        do {
            try self.loop.modify(self.fd, for: interest)
        } catch {
            self.loop.soon { self.close(.error(error)) }
        }
    }

    // MARK: Closing

    func closeWhenSent() {
        guard !self.isClosed, !self.closesWhenSent else { return }
        guard self.bufferedBytes > 0 else {
            self.close(.local)
            return
        }
        self.closesWhenSent = true
        self.pauseReading()
    }

    func close(_ reason: CloseReason) {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.loop.unwatch(self.fd)
        _ = Glibc.close(self.fd)
        self.carry = []
        self.waiting = []
        self.bufferedBytes = 0
        let onClosed = self.onClosed
        let onReleased = self.onReleased
        self.parse = { $0.count }
        self.onClosed = { _ in }
        self.onReleased = {}
        self.onDrained = {}
        onClosed(reason)
        onReleased()
    }
}
