/// A Swift file whose comments and texts are blanked out, so that rules see code only.
///
/// Code inside of `\(…)` stays. Every byte keeps its place.
struct SwiftSource {
    let path: String
    let lines: [Substring]
    /// The code in UTF-8, with spaces in the place of comments and texts.
    let code: [UInt8]
    private let lineStarts: [Int]

    init(path: String, text: String) {
        self.path = path
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var blanker = Blanker(Array(text.utf8))
        let code = blanker.run()
        self.code = code
        self.lineStarts =
            [0] + code.indices.filter { code[$0] == .lineBreak }.map { $0 + 1 }
    }

    var codeLines: [String] {
        self.code.split(separator: .lineBreak, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Returns the line of a byte, from 1.
    func line(at index: Int) -> Int {
        var (low, high) = (0, self.lineStarts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if self.lineStarts[middle] <= index { low = middle } else { high = middle }
        }
        return low + 1
    }
}

extension UInt8 {
    static let lineBreak = UInt8(ascii: "\n")
}

/// Walks over Swift code and blanks out what is none.
private struct Blanker {
    private let text: [UInt8]
    private var position = 0
    private var result: [UInt8] = []

    init(_ text: [UInt8]) {
        self.text = text
    }

    mutating func run() -> [UInt8] {
        self.code(inText: false)
        return self.result
    }

    private var isAtEnd: Bool { self.position >= self.text.count }

    private func has(_ word: StaticString, at offset: Int = 0) -> Bool {
        let start = self.position + offset
        let count = word.utf8CodeUnitCount
        guard start + count <= self.text.count else { return false }
        for index in 0..<count where self.text[start + index] != word.utf8Start[index] {
            return false
        }
        return true
    }

    private func hasHashes(_ count: Int, at offset: Int) -> Bool {
        (0..<count).allSatisfy { self.has("#", at: offset + $0) }
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where !self.isAtEnd {
            let isLineBreak = self.text[self.position] == .lineBreak
            self.result.append(isLineBreak ? .lineBreak : UInt8(ascii: " "))
            self.position += 1
        }
    }

    /// Copies code up to the end, or to the parenthesis that leads back into a text.
    private mutating func code(inText: Bool) {
        var depth = 0
        while !self.isAtEnd {
            if self.has("//") {
                while !self.isAtEnd, !self.has("\n") { self.blank() }
            } else if self.has("/*") {
                self.comment()
            } else if let hashes = self.textAhead() {
                self.literal(hashes)
            } else {
                if self.has("(") { depth += 1 }
                if self.has(")") { depth -= 1 }
                if inText, depth < 0 { return }
                self.result.append(self.text[self.position])
                self.position += 1
            }
        }
    }

    private mutating func comment() {
        var depth = 0
        repeat {
            if self.has("/*") {
                depth += 1
                self.blank(2)
            } else if self.has("*/") {
                depth -= 1
                self.blank(2)
            } else {
                self.blank()
            }
        } while depth > 0 && !self.isAtEnd
    }

    /// How many `#` stand before the quote here; nil where no text begins.
    private func textAhead() -> Int? {
        var hashes = 0
        while self.has("#", at: hashes) { hashes += 1 }
        return self.has("\"", at: hashes) ? hashes : nil
    }

    private mutating func literal(_ hashes: Int) {
        self.blank(hashes)
        let isLong = self.has("\"\"\"")
        let quotes = isLong ? 3 : 1
        self.blank(quotes)
        while !self.isAtEnd {
            if isLong ? self.has("\"\"\"") : self.has("\""), self.hasHashes(hashes, at: quotes) {
                self.blank(quotes + hashes)
                return
            }
            guard self.has("\\"), self.hasHashes(hashes, at: 1) else {
                self.blank()
                continue
            }
            let isCode = self.has("(", at: 1 + hashes)
            self.blank(2 + hashes)
            if isCode {
                self.code(inText: true)
                self.blank()
            }
        }
    }
}
