extension Duration {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
    ]

    /// Creates the duration written as `200ms`, `1.5s` or `2m`; nil where the text is none.
    ///
    /// The units are `ns`, `us`, `ms`, `s`, `m`, `h` and, for days, `d`.
    public init?(text: String) {
        let unitStart = text.firstIndex { !("0"..."9").contains($0) && $0 != "." } ?? text.endIndex
        guard let number = DecimalText(text[..<unitStart]) else { return nil }
        let unit = text[unitStart...]
        let known = Self.units.first { $0.name == unit }?.nanoseconds
        guard let scale = known ?? (unit == "d" ? 86_400_000_000_000 : nil),
            let nanoseconds = number.scaled(by: scale)
        else { return nil }
        self = .nanoseconds(nanoseconds)
    }

    /// The duration as `init(text:)` reads it, in the largest unit that needs no fraction.
    public var text: String {
        let nanoseconds = self.inNanoseconds
        if nanoseconds == 0 { return "0s" }
        for unit in Self.units where nanoseconds.isMultiple(of: unit.nanoseconds) {
            return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
        }
        preconditionFailure("every duration has a number of nanoseconds")
    }
}

/// A number of bytes as people write it.
public enum ByteSize {
    private static let units: [(name: String, bytes: Int64)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]

    /// Returns the number of bytes written as `512B`, `64KiB`, `16MiB` or `2GiB`; nil for others.
    public static func bytes(text: String) -> Int64? {
        let unitStart = text.firstIndex { !("0"..."9").contains($0) && $0 != "." } ?? text.endIndex
        guard let number = DecimalText(text[..<unitStart]),
            let unit = Self.units.first(where: { $0.name == text[unitStart...] })
        else { return nil }
        return number.scaled(by: unit.bytes)
    }

    /// Returns `bytes` as ``bytes(text:)`` reads it, in the largest unit that needs no fraction.
    public static func text(_ bytes: Int64) -> String {
        for unit in Self.units where bytes != 0 && bytes.isMultiple(of: unit.bytes) {
            return "\(bytes / unit.bytes)\(unit.name)"
        }
        return "\(bytes)B"
    }
}

/// A decimal number of digits and at most one point, kept exactly.
struct DecimalText {
    private let digits: Int64
    private let places: Int

    init?(_ text: Substring) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, !first.isEmpty else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        if parts.count == 2, fraction.isEmpty { return nil }
        guard fraction.utf8.count <= 15, let digits = Self.whole(first + fraction) else {
            return nil
        }
        self.digits = digits
        self.places = fraction.utf8.count
    }

    /// Returns a number of digits only; nil where it has anything else or does not fit.
    static func whole(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else { return nil }
        return Int64(text)
    }

    /// Returns the number times `factor`; nil where that is no whole number or does not fit.
    func scaled(by factor: Int64) -> Int64? {
        var divisor: UInt64 = 1
        for _ in 0..<self.places { divisor *= 10 }
        let (high, low) = UInt64(self.digits).multipliedFullWidth(by: UInt64(factor))
        guard high < divisor else { return nil }
        let (quotient, remainder) = divisor.dividingFullWidth((high, low))
        return remainder == 0 ? Int64(exactly: quotient) : nil
    }
}
