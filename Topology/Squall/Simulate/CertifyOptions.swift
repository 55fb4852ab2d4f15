/// The options of `squall certify`.
struct CertifyOptions: Sendable, Hashable {
    /// A scenario file; nil for the topology alone.
    var file: String?
    var orders = 1
    var seed: UInt64?
    var flaws: [String] = []
    /// Whether pairs of faults are tried too.
    var hasPairs = false
    /// The faults to show, by their numbers.
    var only: [Int] = []
    var threads: Int?
}
