import Foundation
import Synchronization
import Testing

/// Everything else here relies on this: where it fails, the C library is not called through the
/// functions of `CCounters`, and the gates count nothing.
@Suite("What is counted", .enabled(if: Cost.isCounted))
struct CostTests {
    private final class Box {}

    @Test func `what is asked of the machine is counted, each thing once`() throws {
        let bytes = [UInt8](repeating: 1, count: 4096)
        let file = try #require(tmpfile())
        defer { fclose(file) }
        let number = fileno(file)
        var boxes: [Box] = []
        boxes.reserveCapacity(100)
        var cost = Cost()
        cost.count { for _ in 1...100 { boxes.append(Box()) } }
        #expect("\(cost)" == "100 allocations")

        cost = Cost()
        var copy = bytes
        cost.count { copy[0] = 2 }
        #expect("\(cost)" == "1 allocations, 4096 copied bytes")

        cost = Cost()
        var little = Array(bytes[..<512])
        let before = little
        cost.count { little[0] = 2 }
        #expect("\(cost)" == "1 allocations")
        #expect(little != before)

        cost = Cost()
        cost.count {
            _ = write(number, bytes, 10)
            _ = pwrite(number, bytes, 10, 0)
            _ = pread(number, &copy, 10, 0)
            _ = fsync(number)
            Cost.uncounted { _ = fsync(number) }
            _ = fdatasync(number)
        }
        #expect("\(cost)" == "2 writes, 1 reads, 2 syncs")
    }

    @Test func `what other threads do is not counted`() {
        let (begin, end) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let boxes = Mutex<[Box]>([])
        Thread.detachNewThread {
            begin.wait()
            for _ in 1...100 { boxes.withLock { $0.append(Box()) } }
            end.signal()
        }
        var cost = Cost()
        cost.count {
            begin.signal()
            end.wait()
        }
        #expect(boxes.withLock { $0.count } == 100)
        #expect(cost[.allocations] < 10)
    }
}
