import Glibc
import Mesh
import RealWorld
import Synchronization

/// What the processes of one measurement share, in a mapped file: flags, counters and latencies.
final class BenchBoard {
    /// A number that one process writes and others read, on a cache line of its own.
    enum Cell: Int {
        case begin, end, isFinal, sent, confirmed, lost, samples
    }

    static let clientsMax = 256
    private static let samplesMax = 1 << 21
    private static let lineBytes = 128
    private static let cellBytes = 128 * 1024
    private static let byteCount = cellBytes + 2 * 4 * samplesMax

    private let base: UnsafeMutableRawPointer

    /// Maps the board in the working folder; `creating` makes an empty one.
    init(creating: Bool) throws(ControlError) {
        let flags = creating ? O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC : O_RDWR | O_CLOEXEC
        let descriptor = open("board", flags, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open") }
        defer { close(descriptor) }
        guard !creating || ftruncate(descriptor, off_t(Self.byteCount)) == 0 else {
            throw Self.failure("size")
        }
        let mapped = mmap(
            nil,
            Self.byteCount,
            PROT_READ | PROT_WRITE,
            MAP_SHARED,
            descriptor,
            0
        )
        guard let mapped, mapped != MAP_FAILED else { throw Self.failure("map") }
        self.base = mapped
    }

    deinit { munmap(self.base, Self.byteCount) }

    private static func failure(_ step: String) -> ControlError {
        ControlError("cannot \(step) the board of the bench: \(String(cString: strerror(errno)))")
    }

    private func number(_ line: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (self.base + line * Self.lineBytes).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    subscript(cell: Cell) -> UInt64 {
        get { self.number(cell.rawValue).pointee.load(ordering: .acquiring) }
        set { self.number(cell.rawValue).pointee.store(newValue, ordering: .releasing) }
    }

    /// How many events a consumer has handled.
    func handled(_ client: Int) -> UInt64 {
        self.number(16 + client).pointee.load(ordering: .acquiring)
    }

    func setHandled(_ client: Int, _ count: UInt64) {
        self.number(16 + client).pointee.store(count, ordering: .releasing)
    }

    /// How many events a consumer missed or met in the wrong order.
    func gaps(_ client: Int) -> UInt64 {
        self.number(16 + Self.clientsMax + client).pointee.load(ordering: .acquiring)
    }

    func setGaps(_ client: Int, _ count: UInt64) {
        self.number(16 + Self.clientsMax + client).pointee.store(count, ordering: .releasing)
    }

    /// Whether a client can begin.
    func isReady(_ client: Int) -> Bool {
        self.number(16 + 2 * Self.clientsMax + client).pointee.load(ordering: .acquiring) == 1
    }

    func setReady(_ client: Int) {
        self.number(16 + 2 * Self.clientsMax + client).pointee.store(1, ordering: .releasing)
    }

    // MARK: Latencies

    private var samples: UnsafeMutablePointer<UInt32> {
        (self.base + Self.cellBytes).assumingMemoryBound(to: UInt32.self)
    }

    /// Notes a latency since an event was sent, and since it should have been.
    func sample(_ latency: Int64, scheduled: Int64) {
        let index = Int(
            self.number(Cell.samples.rawValue).pointee.add(1, ordering: .relaxed).oldValue
        )
        guard index < Self.samplesMax else { return }
        self.samples[2 * index] = UInt32(clamping: latency)
        self.samples[2 * index + 1] = UInt32(clamping: scheduled)
    }

    /// The latencies noted since there were `start` of them, ascending.
    func latencies(from start: UInt64, scheduled: Bool) -> [UInt32] {
        let end = min(Int(self[.samples]), Self.samplesMax)
        guard end > Int(start) else { return [] }
        return (Int(start)..<end).map { self.samples[2 * $0 + (scheduled ? 1 : 0)] }.sorted()
    }
}
