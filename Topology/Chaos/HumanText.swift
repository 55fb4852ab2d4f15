/// Numbers, times and amounts as a person reads them.
package enum HumanText {
    /// Returns a whole number with its thousands apart: `12,345`.
    package static func count(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
            out.append(digit)
        }
        return number < 0 ? "-" + out : out
    }

    /// Returns ascending numbers with their runs drawn together: `0-2 5`.
    package static func ranges(_ numbers: [Int]) -> String {
        var runs: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound + 1 == number {
                runs[runs.count - 1] = last.lowerBound...number
            } else {
                runs.append(number...number)
            }
        }
        return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: " ")
    }

    /// Returns an amount of cents as dollars: `$1,234.05`.
    package static func money(cents: Int64) -> String {
        let whole = Self.count(Int(cents.magnitude / 100))
        let rest = cents.magnitude % 100
        return (cents < 0 ? "-$" : "$") + whole + "." + (rest < 10 ? "0" : "") + String(rest)
    }

    /// Returns a duration with two or three digits: `850 µs`, `61 ms`, `3.2 s`, `2 m 05 s`.
    package static func duration(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if seconds < 0 { return "-" + Self.duration(.zero - duration) }
        if seconds >= 60 {
            let rest = seconds % 60
            return "\(seconds / 60) m \(rest < 10 ? "0" : "")\(rest) s"
        }
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        if microseconds < 1_000 { return "\(microseconds) µs" }
        if microseconds < 10_000 { return Self.tenths(microseconds / 100) + " ms" }
        if microseconds < 1_000_000 { return "\(microseconds / 1_000) ms" }
        return Self.tenths(microseconds / 100_000) + " s"
    }

    /// Returns a time since the start as a clock shows it: `00:07`, `1:02:03`.
    package static func clock(_ duration: Duration) -> String {
        let seconds = Swift.max(0, duration.components.seconds)
        let two = { (number: Int64) in (number < 10 ? "0" : "") + String(number) }
        let rest = "\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        return seconds >= 3600 ? "\(seconds / 3600):\(rest)" : rest
    }

    /// Returns an amount of memory: `812 KiB`, `8.1 MiB`.
    package static func memory(kibibytes: Int) -> String {
        if kibibytes < 1024 { return "\(kibibytes) KiB" }
        return Self.tenths(Int64(kibibytes * 10 / 1024)) + " MiB"
    }

    /// Returns `text` with blanks behind it, `width` characters in all.
    package static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: Swift.max(0, width - text.count))
    }

    /// Returns `text` with blanks before it, `width` characters in all.
    package static func padded(left text: String, _ width: Int) -> String {
        String(repeating: " ", count: Swift.max(0, width - text.count)) + text
    }

    private static func tenths(_ number: Int64) -> String {
        "\(number / 10).\(number % 10)"
    }
}
