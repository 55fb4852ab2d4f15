import Mesh

/// How fast a topology started, and came back after each kill.
package struct TimingReport: Sendable, Hashable {
    /// One kill and what followed.
    package struct Kill: Sendable, Hashable {
        package var process: String
        /// From the signal until the end was noticed.
        package var noticed: Duration
        /// From the signal until it served again; nil where it has not yet.
        package var serving: Duration?
    }

    /// The first start of one process.
    package struct Start: Sendable, Hashable {
        package var process: String
        package var duration: Duration
    }

    /// From the start until every service was ready and meshed.
    package var ready: Duration?
    /// How long each process took for its first start, in the order in which they were ready.
    package var starts: [Start] = []
    /// The kills in their order.
    package var kills: [Kill] = []

    package init() {}

    /// Notes that a process was started for the first time.
    mutating func started(_ process: String, within duration: Duration) {
        self.starts.append(Start(process: process, duration: duration))
    }

    /// Notes that the end of a killed process was noticed.
    mutating func noticed(_ process: String, after duration: Duration) {
        self.kills.append(Kill(process: process, noticed: duration))
    }

    /// Notes that a killed process serves again.
    mutating func serves(_ process: String, after duration: Duration) {
        guard let index = self.kills.lastIndex(where: { $0.process == process }),
            self.kills[index].serving == nil
        else { return }
        self.kills[index].serving = duration
    }

    /// The report as lines of text.
    package var lines: [String] {
        var lines = ["timing"]
        lines.append("  all ready after \(self.ready.map(Self.milliseconds) ?? "-")")
        let starts = self.starts.map { "\($0.process) \(Self.milliseconds($0.duration))" }
        if !starts.isEmpty {
            lines.append("  each from its start: \(starts.joined(separator: ", "))")
        }
        for kill in self.kills {
            let serving = kill.serving.map(Self.milliseconds) ?? "-"
            lines.append(
                "  \(kill.process) killed: noticed after \(Self.milliseconds(kill.noticed)), "
                    + "serving again after \(serving)"
            )
        }
        guard self.kills.count > 1 else { return lines }
        let noticed = Self.median(self.kills.map(\.noticed)).map(Self.milliseconds) ?? "-"
        let serving = Self.median(self.kills.compactMap(\.serving)).map(Self.milliseconds) ?? "-"
        lines.append(
            "  median of \(self.kills.count) kills: noticed \(noticed), serving \(serving)"
        )
        return lines
    }

    /// The report as an object, in nanoseconds.
    package var json: JSONValue {
        let kills = self.kills.map { kill -> JSONValue in
            [
                "process": .string(kill.process),
                "noticedNanoseconds": .int(kill.noticed.inNanoseconds),
                "servingNanoseconds": .optional(kill.serving),
            ]
        }
        return [
            "readyNanoseconds": .optional(self.ready),
            "noticedMedianNanoseconds": .optional(Self.median(self.kills.map(\.noticed))),
            "servingMedianNanoseconds": .optional(
                Self.median(self.kills.compactMap(\.serving))
            ),
            "kills": .array(kills),
        ]
    }

    private static func median(_ durations: [Duration]) -> Duration? {
        guard !durations.isEmpty else { return nil }
        return durations.sorted()[(durations.count - 1) / 2]
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let hundredths = duration.inNanoseconds / 10_000
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
    }
}
