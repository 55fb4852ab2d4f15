import Chaos
import Mesh

/// What happened in a run besides its events, as the run wrote it down line by line.
///
/// Each line is an object: something that happened, or a fault that is over. Only reports read
/// it; the verdict needs nothing but the log and the ledgers.
package struct RunDiary: Sendable {
    /// A fault that is over.
    package struct Fault: Sendable, Hashable {
        package var text: String
        /// The processes, services and parties that it was done to.
        package var targets: [String]
        package var begin: Instant
        package var end: Instant
        package var bitten: Int

        package init(
            text: String,
            targets: [String],
            begin: Instant,
            end: Instant,
            bitten: Int
        ) {
            self.text = text
            self.targets = targets
            self.begin = begin
            self.end = end
            self.bitten = bitten
        }
    }

    /// What happened, in order.
    package private(set) var incidents: [ScenarioOutcome.Incident] = []
    package private(set) var faults: [Fault] = []

    /// Reads the diary of a run folder; it is empty where there is none, and lines that cannot be
    /// read are left out: the last one may have been cut short.
    package init(folder: String) {
        let text = (try? FileSystem.readText("\(folder)/\(RunFolder.Name.diary)")) ?? ""
        for line in text.split(separator: "\n") {
            guard let json = try? JSONValue(parsing: String(line)),
                let text = json["text"]?.string, let at = json["atNanoseconds"]?.int
            else { continue }
            let end = Instant(nanoseconds: at)
            guard let begin = json["sinceNanoseconds"]?.int else {
                self.incidents.append(ScenarioOutcome.Incident(time: end, text: text))
                continue
            }
            self.faults.append(
                Fault(
                    text: text,
                    targets: (json["targets"]?.array ?? []).compactMap(\.string),
                    begin: Instant(nanoseconds: begin),
                    end: end,
                    bitten: Int(clamping: json["bitten"]?.int ?? 0)
                )
            )
        }
    }

    /// Writes down what happened, in the run folder that is the working directory.
    static func note(_ text: String, at time: Instant) {
        self.append(["atNanoseconds": .int(time.nanoseconds), "text": .string(text)])
    }

    /// Writes down a fault that is over.
    static func note(_ fault: Fault) {
        self.append([
            "atNanoseconds": .int(fault.end.nanoseconds), "text": .string(fault.text),
            "sinceNanoseconds": .int(fault.begin.nanoseconds),
            "targets": .array(fault.targets.map { .string($0) }),
            "bitten": .int(Int64(fault.bitten)),
        ])
    }

    private static func append(_ json: JSONValue) {
        // A diary that the disk has no room for is not worth ending a run.
        try? FileSystem.append(json.text + "\n", to: RunFolder.Name.diary)
    }
}
