import Synchronization

/// Hashes that several threads fill in.
final class HashList: Sendable {
    private let list: Mutex<[UInt64]>

    init(count: Int) {
        self.list = Mutex([UInt64](repeating: 0, count: count))
    }

    func set(_ index: Int, _ hash: UInt64) { self.list.withLock { $0[index] = hash } }

    var hashes: [UInt64] { self.list.withLock { $0 } }
}
