/// Guesses what a misspelt word was meant to be.
package enum Suggestion {
    /// Returns the known word nearest to `word`; nil where none is near enough to be meant.
    package static func closest(to word: String, among known: [String]) -> String? {
        let wanted = Array(word.lowercased().unicodeScalars)
        guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
        var best: (word: String, distance: Int)?
        for candidate in known {
            let scalars = Array(candidate.lowercased().unicodeScalars)
            guard scalars.count <= 64 else { continue }
            let distance = Self.distance(wanted, scalars)
            let allowed = max(1, min(wanted.count, scalars.count) / 3 + 1)
            guard distance <= allowed, distance < max(wanted.count, scalars.count) else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        if let best { return best.word }
        guard wanted.count >= 3 else { return nil }
        return known.first { $0.lowercased().hasPrefix(word.lowercased()) }
    }

    /// Returns `did you mean 'x'?`, or what is known where nothing is near and that is not much.
    package static func hint(for word: String, among known: [String]) -> String? {
        if let closest = Self.closest(to: word, among: known) {
            return "did you mean '\(closest)'?"
        }
        if known.isEmpty || known.count > 12 { return nil }
        return "known are \(known.joined(separator: ", "))"
    }

    /// How many letters must be typed, left out, replaced or swapped with the next one.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let cost = left[row] == right[column] ? 0 : 1
                var distance = min(last[column] + cost, last[column + 1] + 1, current[column] + 1)
                let isSwap =
                    row > 0 && column > 0 && left[row] == right[column - 1]
                    && left[row - 1] == right[column]
                if isSwap { distance = min(distance, beforeLast[column - 1] + 1) }
                current.append(distance)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
