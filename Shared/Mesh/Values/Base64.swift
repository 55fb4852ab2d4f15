/// Base64 with padding, as CloudEvents wants it for binary data.
package enum Base64 {
    /// Returns the text of `bytes`.
    package static func text(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var out = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var word = group.reduce(0) { $0 << 8 | Int($1) }
            word <<= 8 * (3 - group.count)
            for place in 0..<4 {
                let index = word >> (18 - 6 * place) & 63
                out.append(place <= group.count ? alphabet[index] : "=")
            }
        }
        return out
    }
}
