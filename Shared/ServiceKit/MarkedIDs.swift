public import Mesh

/// A table from ids to small marks that remembers millions of ids in a few bits each.
///
/// Ids that end in a number, such as `order-1742`, share pages of two bits for each number; all
/// others are kept as they are. Nothing is ever forgotten. A mark is 1, 2 or 3; 0 means none.
public struct MarkedIDs: Sendable, Hashable {
    private struct Family: Sendable, Hashable {
        var prefix: String
        var part: Int
    }

    private static let idsPerByte: UInt64 = 4
    private static let bytesPerPage = 128
    private static var idsPerPage: UInt64 { Self.idsPerByte * UInt64(Self.bytesPerPage) }

    private var pages: [Family: [UInt64: [UInt8]]] = [:]
    private var others: [Family: UInt8] = [:]

    /// Creates an empty table.
    public init() {}

    /// The mark of an id, or of one `part` of it, such as a line of an order.
    public subscript(id: String, part part: Int = 0) -> UInt8 {
        guard let (prefix, number) = Self.split(id) else {
            return self.others[Family(prefix: id, part: part)] ?? 0
        }
        let page = self.pages[Family(prefix: prefix, part: part)]?[number / Self.idsPerPage]
        guard let page else { return 0 }
        let (byte, shift) = Self.place(number)
        return page[byte] >> shift & 3
    }

    /// Gives an id a mark, in place of the one it had.
    public mutating func mark(_ id: String, part: Int = 0, as mark: UInt8) {
        precondition((1...3).contains(mark), "a mark is 1, 2 or 3, not \(mark)")
        guard let (prefix, number) = Self.split(id) else {
            self.others[Family(prefix: id, part: part)] = mark
            return
        }
        let (byte, shift) = Self.place(number)
        self.pages[Family(prefix: prefix, part: part), default: [:]][
            number / Self.idsPerPage,
            default: [UInt8](repeating: 0, count: Self.bytesPerPage)
        ].withUnsafeMutableBufferPointer { page in
            page[byte] = page[byte] & ~(3 << shift) | mark << shift
        }
    }

    private static func place(_ number: UInt64) -> (byte: Int, shift: UInt8) {
        let index = number % Self.idsPerPage
        return (Int(index / Self.idsPerByte), UInt8(index % Self.idsPerByte * 2))
    }

    /// Splits off the number at the end; leading zeros stay with the prefix, so that no two ids
    /// split alike.
    private static func split(_ id: String) -> (prefix: String, number: UInt64)? {
        var id = id
        return id.withUTF8 { text in
            var start = text.count
            var number: UInt64 = 0
            var scale: UInt64 = 1
            for index in text.indices.suffix(15).reversed() {
                guard (0x30...0x39).contains(text[index]) else { break }
                if text[index] != 0x30 || index == text.count - 1 {
                    number += UInt64(text[index] - 0x30) * scale
                    start = index
                }
                scale *= 10
            }
            guard start < text.count else { return nil }
            // A single 0 counts only by itself: `a-10` ends in 10, `a-00` in 0 behind `a-0`.
            let prefix = UnsafeBufferPointer(rebasing: text[..<start])
            return (String(decoding: prefix, as: UTF8.self), number)
        }
    }
}

extension MarkedIDs: WireCodable {
    /// Codes the table; equal tables give equal bytes.
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        var pages = coder.isDecoding ? [] : self.sortedPages()
        try coder.field("pages", &pages)
        var others = coder.isDecoding ? [] : self.sortedOthers()
        try coder.field("others", &others)
        guard coder.isDecoding else { return }
        for page in pages {
            guard page.marks.count == Self.bytesPerPage else {
                throw WireError("a page of marks has \(page.marks.count) bytes")
            }
            let family = Family(prefix: page.prefix, part: page.part)
            self.pages[family, default: [:]][UInt64(bitPattern: page.number)] = page.marks
        }
        for other in others {
            guard (1...3).contains(other.mark) else {
                throw WireError("\(other.mark) is no mark; there are 1, 2 and 3")
            }
            self.others[Family(prefix: other.id, part: other.part)] = UInt8(other.mark)
        }
    }

    private func sortedPages() -> [MarkedPage] {
        var out: [MarkedPage] = []
        let families = self.pages.keys.sorted { ($0.prefix, $0.part) < ($1.prefix, $1.part) }
        for family in families {
            let pages = self.pages[family] ?? [:]
            for number in pages.keys.sorted() {
                var page = MarkedPage()
                page.prefix = family.prefix
                page.part = family.part
                page.number = Int64(bitPattern: number)
                page.marks = pages[number] ?? []
                out.append(page)
            }
        }
        return out
    }

    private func sortedOthers() -> [MarkedOther] {
        let families = self.others.keys.sorted { ($0.prefix, $0.part) < ($1.prefix, $1.part) }
        return families.map { family in
            var other = MarkedOther()
            other.id = family.prefix
            other.part = family.part
            other.mark = Int(self.others[family] ?? 0)
            return other
        }
    }
}

private struct MarkedPage: WireCodable {
    var prefix = ""
    var part = 0
    var number: Int64 = 0
    var marks: [UInt8] = []

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("prefix", &self.prefix)
        try coder.field("part", &self.part)
        try coder.field("number", &self.number)
        try coder.field("marks", &self.marks)
    }
}

private struct MarkedOther: WireCodable {
    var id = ""
    var part = 0
    var mark = 0

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("id", &self.id)
        try coder.field("part", &self.part)
        try coder.field("mark", &self.mark)
    }
}
