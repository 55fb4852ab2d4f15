/// A share of a whole, from nothing to all of it, in lowest terms; never a floating-point number.
public struct Ratio: Sendable, Hashable, CustomStringConvertible {
    /// The part.
    public let numerator: Int64
    /// The whole; at least 1.
    public let denominator: Int64

    /// Nothing.
    public static let zero = Ratio(unchecked: 0, 1)
    /// All of it.
    public static let one = Ratio(unchecked: 1, 1)

    /// Creates `numerator / denominator`; nil where that is below 0, above 1 or divides by 0.
    public init?(_ numerator: Int64, _ denominator: Int64) {
        guard denominator > 0, numerator >= 0, numerator <= denominator else { return nil }
        let divisor = Self.divisor(numerator, denominator)
        self.init(unchecked: numerator / divisor, denominator / divisor)
    }

    /// Creates the ratio written as `5%` or `2.5%`; nil where the text is neither.
    public init?(text: String) {
        guard text.hasSuffix("%"),
            let number = DecimalText(text.dropLast()),
            let whole = number.scaled(by: 1_000_000)
        else { return nil }
        self.init(whole, 100_000_000)
    }

    private init(unchecked numerator: Int64, _ denominator: Int64) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Returns whether a draw falls into the share; `draw` comes from a hash or a random source.
    public func holds(for draw: UInt64) -> Bool {
        draw % UInt64(self.denominator) < UInt64(self.numerator)
    }

    /// The ratio as a percentage where that is short, else as a fraction.
    public var description: String {
        if 100 % self.denominator == 0 {
            return "\(self.numerator * (100 / self.denominator))%"
        }
        return "\(self.numerator)/\(self.denominator)"
    }

    private static func divisor(_ left: Int64, _ right: Int64) -> Int64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}
