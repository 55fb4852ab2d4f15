/// A function with a body.
struct Function {
    var line: Int
    /// From the line that names it to the line of its last brace.
    var lineCount: Int
}

/// Finds functions by counting braces.
enum Functions {
    static func find(in source: SwiftSource) -> [Function] {
        let code = source.code
        return self.keywords(in: code).compactMap { start in
            guard let opening = self.body(after: start, in: code),
                let closing = self.closing(of: opening, in: code)
            else { return nil }
            let line = source.line(at: start)
            return Function(line: line, lineCount: source.line(at: closing) - line + 1)
        }
    }

    /// Where the words are that begin a function.
    private static func keywords(in code: [UInt8]) -> [Int] {
        let words: [StaticString] = ["func", "init", "deinit"]
        return code.indices.filter { start in
            guard
                code[start] == UInt8(ascii: "f") || code[start] == UInt8(ascii: "i")
                    || code[start] == UInt8(ascii: "d")
            else { return false }
            if start > 0 {
                let before = code[start - 1]
                if self.isPartOfName(before) || ".`".utf8.contains(before) { return false }
            }
            return words.contains { word in
                let end = start + word.utf8CodeUnitCount
                guard end <= code.count, end == code.count || !self.isPartOfName(code[end]) else {
                    return false
                }
                return (start..<end).allSatisfy { code[$0] == word.utf8Start[$0 - start] }
            }
        }
    }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_")
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// Where the body begins; nil for a requirement of a protocol, which has none.
    private static func body(after start: Int, in code: [UInt8]) -> Int? {
        var depth = 0
        var index = start
        while index < code.count {
            switch Unicode.Scalar(code[index]) {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return index
            case "}" where depth == 0: return nil
            case "\n" where depth == 0 && !self.goesOn(after: index, in: code): return nil
            default: break
            }
            if depth < 0 { return nil }
            index += 1
        }
        return nil
    }

    /// Whether the line after a line break still belongs to the head of a function.
    private static func goesOn(after index: Int, in code: [UInt8]) -> Bool {
        let rest = code[index...].drop { $0 == UInt8(ascii: " ") || $0 == .lineBreak }
        guard let first = rest.first else { return false }
        if "{)->:,".utf8.contains(first) { return true }
        let word = String(decoding: rest.prefix(while: self.isPartOfName), as: UTF8.self)
        return ["where", "throws", "rethrows", "async"].contains(word)
    }

    private static func closing(of opening: Int, in code: [UInt8]) -> Int? {
        var depth = 0
        for index in opening..<code.count {
            if code[index] == UInt8(ascii: "{") { depth += 1 }
            if code[index] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }
}
