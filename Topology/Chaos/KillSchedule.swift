import Mesh

/// Kills spread at random over a run: how far the run is decides when, the seed decides whom.
///
/// Progress, not time, is the measure, so that a run of unknown length gets all its kills.
package struct KillSchedule: Sendable {
    /// How far a run is, in millionths.
    package static let whole: Int64 = 1_000_000

    private var marks: [Int64]
    private var random: SeededRandom

    /// Creates a schedule of `count` kills between the start and nine tenths of the run.
    package init(count: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed).split("kills")
        var marks: [Int64] = []
        for _ in 0..<count { marks.append(Int64(random.below(Int(Self.whole * 9 / 10)))) }
        // Latest first, so that the next one is the last of the list.
        self.marks = marks.sorted(by: >)
        self.random = random
    }

    /// How many kills are left.
    package var remainingCount: Int { self.marks.count }

    /// Returns whom to kill now, or nil; call again until it returns nil.
    ///
    /// - Parameters:
    ///   - progress: How far the run is, in millionths.
    ///   - targets: What there is to kill now.
    ///   - isUp: Whether a target can be killed at the moment; another one is taken where not.
    /// - Returns: The name of a target, or nil where nothing is due or nothing is up.
    package mutating func next(
        at progress: Int64,
        among targets: [String],
        isUp: (String) -> Bool
    ) -> String? {
        guard let mark = self.marks.last, mark <= progress else { return nil }
        let first = self.random.below(max(targets.count, 1))
        for step in targets.indices {
            let target = targets[(first + step) % targets.count]
            if isUp(target) {
                self.marks.removeLast()
                return target
            }
        }
        return nil
    }
}
