import Events
import Mesh

/// Reads the rows of a history from its text and collects what is wrong with it.
struct HistoryParser {
    private static let heading = "customer,date,quantity,dollars"
    private static let problemCountMax = 20

    private let text: [UInt8]
    private let file: String
    private var lineNumber = 0
    private(set) var problems: [HistoryError.Problem] = []
    private(set) var unlisted = 0

    init(text: [UInt8], file: String) {
        self.text = text
        self.file = file
    }

    mutating func parse() -> [History.Row] {
        var rows: [History.Row] = []
        var start = 0
        while start < self.text.count {
            let newline = self.text[start...].firstIndex(of: 0x0A) ?? self.text.count
            var end = newline
            if end > start, self.text[end - 1] == 0x0D { end -= 1 }
            self.lineNumber += 1
            if self.lineNumber == 1 {
                self.checkHeading(start..<end)
            } else if let row = self.row(start..<end) {
                rows.append(row)
            }
            start = newline + 1
        }
        if self.lineNumber == 0 {
            self.lineNumber = 1
            self.report(0, 0, "the file is empty; it must begin with '\(Self.heading)'")
        }
        return rows
    }

    private mutating func checkHeading(_ line: Range<Int>) {
        guard String(decoding: self.text[line], as: UTF8.self) != Self.heading else { return }
        self.report(line.lowerBound, line.lowerBound, "the heading must be '\(Self.heading)'")
    }

    private mutating func row(_ line: Range<Int>) -> History.Row? {
        let start = line.lowerBound
        let fields = self.text[line].split(separator: 0x2C, omittingEmptySubsequences: false)
        guard fields.count == 4 else {
            self.report(start, start, "a row has 4 fields, this one has \(fields.count)")
            return nil
        }
        let customer = String(validating: fields[0], as: UTF8.self) ?? ""
        let day = Self.day(fields[1])
        let quantity = Self.number(fields[2])
        let cents = Self.cents(fields[3])
        if customer.isEmpty {
            self.report(start, fields[0].startIndex, "a customer must be given, in UTF-8")
        }
        if day == nil {
            self.report(
                start,
                fields[1].startIndex,
                "a date is written 1997-12-31, from 1900 to 2100"
            )
        }
        if quantity == nil || quantity == 0 {
            self.report(start, fields[2].startIndex, "a quantity is a whole number from 1")
        }
        if cents == nil {
            self.report(start, fields[3].startIndex, "an amount is written 12.34")
        }
        guard !customer.isEmpty, let day, let quantity, quantity > 0, let cents else { return nil }
        return History.Row(
            number: self.lineNumber - 1,
            customer: customer,
            day: day,
            quantity: quantity,
            amount: Money(cents: Int64(cents))
        )
    }

    private mutating func report(_ lineStart: Int, _ offset: Int, _ message: String) {
        guard self.problems.count < Self.problemCountMax else {
            self.unlisted += 1
            return
        }
        self.problems.append(
            HistoryError.Problem(
                file: self.file,
                line: self.lineNumber,
                column: offset - lineStart + 1,
                message: message
            )
        )
    }

    /// Up to nine digits.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard !field.isEmpty, field.count <= 9 else { return nil }
        var value = 0
        for byte in field {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    /// Whole units, or units, a point and two digits; exact, without a detour through `Double`.
    private static func cents(_ field: ArraySlice<UInt8>) -> Int? {
        guard let point = field.firstIndex(of: 0x2E) else {
            return Self.number(field).map { $0 * 100 }
        }
        let fraction = field[(point + 1)...]
        guard fraction.count == 2 else { return nil }
        guard let units = Self.number(field[..<point]), let cents = Self.number(fraction) else {
            return nil
        }
        return units * 100 + cents
    }

    private static func day(_ field: ArraySlice<UInt8>) -> Int? {
        let parts = field.split(separator: 0x2D, omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2] else { return nil }
        guard let year = Self.number(parts[0]), let month = Self.number(parts[1]),
            let day = Self.number(parts[2]), (1...12).contains(month), (1900...2100).contains(year)
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day >= 1, day <= lengths[month - 1] else { return nil }
        // Days from civil: years begin in March, so that a leap day is the last of its year.
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
