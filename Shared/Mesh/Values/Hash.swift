/// The stable hashes that partitions, event ids, checksums and run hashes are made of.
///
/// Unlike `Hasher` they give the same value in every process, build and machine.
public enum StableHash {
    /// Returns a 64-bit hash of `bytes`, a multiply-fold in the manner of wyhash.
    ///
    /// A flipped bit anywhere changes the value except with a probability of about 2⁻⁶⁴.
    ///
    /// - Complexity: O(*n*), about 16 bytes a step, three of which run side by side.
    @inlinable
    public static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        var hash = mix(seed ^ seedConstant, UInt64(truncatingIfNeeded: bytes.count) ^ firstConstant)
        var index = 0
        let count = bytes.count
        let load = { (index: Int) -> UInt64 in
            bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
        }
        if count > 48 {
            var (left, right) = (hash, hash)
            repeat {
                hash = mix(load(index) ^ firstConstant ^ hash, load(index &+ 8) ^ secondConstant)
                index &+= 16
                left = mix(load(index) ^ secondConstant ^ left, load(index &+ 8) ^ seedConstant)
                index &+= 16
                right = mix(load(index) ^ seedConstant ^ right, load(index &+ 8) ^ firstConstant)
                index &+= 16
            } while index &+ 48 <= count
            hash ^= left ^ right
        }
        while index &+ 16 <= count {
            hash = mix(load(index) ^ firstConstant ^ hash, load(index &+ 8) ^ secondConstant)
            index &+= 16
        }
        if index < count {
            let rest = count &- index
            let a = word(of: bytes, at: index, min(rest, 8))
            let b = rest > 8 ? word(of: bytes, at: index &+ 8, rest &- 8) : 0
            hash = mix(a ^ firstConstant ^ hash, b ^ secondConstant)
        }
        return mix(hash ^ secondConstant, firstConstant)
    }

    /// Returns up to 8 bytes as a number, the first one lowest; those before them may be read too.
    @inlinable
    @inline(__always)
    static func word(of bytes: UnsafeRawBufferPointer, at index: Int, _ count: Int) -> UInt64 {
        let end = index &+ count
        if end >= 8 {
            // The last bytes at once, and those before them shifted out.
            let last = bytes.loadUnaligned(fromByteOffset: end &- 8, as: UInt64.self).littleEndian
            return last >> UInt64(truncatingIfNeeded: (8 &- count) &* 8)
        }
        // Few bytes in two or three steps, some of them read twice.
        if count >= 4 {
            let low = bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self).littleEndian
            let high = bytes.loadUnaligned(fromByteOffset: end &- 4, as: UInt32.self).littleEndian
            return UInt64(low) | UInt64(high) << UInt64(truncatingIfNeeded: (count &- 4) &* 8)
        }
        guard count > 0 else { return 0 }
        let middle = count &>> 1
        return UInt64(bytes[index])
            | UInt64(bytes[index &+ middle]) << UInt64(truncatingIfNeeded: middle &* 8)
            | UInt64(bytes[end &- 1]) << UInt64(truncatingIfNeeded: (count &- 1) &* 8)
    }

    /// Returns the hash of `text`'s UTF-8 bytes.
    public static func of(_ text: String, seed: UInt64 = 0) -> UInt64 {
        text.withBytes { of($0, seed: seed) }
    }

    /// Returns a hash of two words, for deriving one id or seed from another.
    @inlinable
    public static func combine(_ left: UInt64, _ right: UInt64) -> UInt64 {
        mix(left ^ firstConstant, right ^ secondConstant)
    }

    /// Returns the partition of `subject` among `count` partitions.
    public static func partition(of subject: String, among count: Int) -> Int {
        Int(of(subject) % UInt64(count))
    }

    @usableFromInline static var seedConstant: UInt64 { 0x9E37_79B9_7F4A_7C15 }
    @usableFromInline static var firstConstant: UInt64 { 0xA076_1D64_78BD_642F }
    @usableFromInline static var secondConstant: UInt64 { 0xE703_7ED1_A0B4_28DB }

    @inlinable
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}

/// A small, fast random source whose whole future follows from its seed (SplitMix64).
///
/// Everything random splits from a run's seed per purpose with ``split(_:)``, so that drawing more
/// for one purpose does not shift another. Decisions use integers only.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Creates the source that `seed` determines.
    public init(seed: UInt64) {
        self.state = seed
    }

    /// Returns the next 64 random bits.
    public mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Returns a number in `0 ..< bound`; `bound` must be above zero.
    public mutating func below(_ bound: Int) -> Int {
        Int(self.next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Returns true in `numerator` of `denominator` cases.
    public mutating func chance(_ numerator: Int, in denominator: Int) -> Bool {
        self.below(denominator) < numerator
    }

    /// Returns an independent source for `purpose`, without disturbing this one.
    public func split(_ purpose: String) -> SeededRandom {
        SeededRandom(seed: StableHash.of(purpose, seed: self.state))
    }
}
