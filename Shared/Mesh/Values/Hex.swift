/// Hexadecimal text, two lower-case digits a byte.
public enum Hex {
    /// Returns the text of `bytes`.
    public static func text(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * bytes.underestimatedCount)
        for byte in bytes {
            digits.append(self.digit(byte >> 4))
            digits.append(self.digit(byte & 15))
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// Returns the character of a number below 16.
    @inlinable
    package static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }

    /// Returns the character of one of the 16 digits of `word`, from the first one on.
    @inlinable
    package static func digit(of word: UInt64, at index: Int) -> UInt8 {
        self.digit(UInt8(truncatingIfNeeded: word >> UInt64(4 * (15 - index))) & 15)
    }

    /// Returns the 16 digits of `word`.
    public static func text(_ word: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { digits in
            for index in 0..<16 { digits[index] = self.digit(of: word, at: index) }
            return 16
        }
    }

    /// Returns the bytes that `text` spells, or nil where it is not hexadecimal.
    public static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case 0x30...0x39: digit = character - 0x30
            case 0x61...0x66: digit = character - 0x61 + 10
            case 0x41...0x46: digit = character - 0x41 + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }
}
