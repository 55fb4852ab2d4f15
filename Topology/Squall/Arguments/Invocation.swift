import RealWorld

/// A command line understood: what to do, where, and how to write about it.
struct Invocation: Sendable, Hashable {
    var command: Command
    var output = OutputOptions()
    /// The run that was asked for; nil for the only live one.
    var run: String?

    enum Command: Sendable, Hashable {
        case up(UpOptions)
        /// Something a running topology is to do.
        case control(ControlRequest)
        case processes
        case logs(LogsOptions)
        case events(EventsOptions)
        case trace(String)
        case deadLetters(DeadLetterCommand)
        case rewind(RewindOptions)
        case check(run: String?)
        case report(ReportOptions)
        /// Run scenario files.
        case scenarios(RunOptions)
        case sim(SimOptions)
        case certify(CertifyOptions)
        case bench(BenchOptions)
        case replay(String)
        case shrink(String)
        case lint(file: String?)
        case graph(file: String?, format: String)
        case runs
        case newService(NewServiceOptions)
        case help(String?)
        case version
    }
}

/// How a command writes.
struct OutputOptions: Sendable, Hashable {
    enum Color: String, Sendable, CaseIterable { case auto, always, never }

    var json = false
    var quiet = false
    var color = Color.auto

    /// Whether hints and progress are wanted.
    var isChatty: Bool { !self.json && !self.quiet }
}

/// The options of `squall up`.
struct UpOptions: Sendable, Hashable {
    enum Speed: Sendable, Hashable {
        case times(Int)
        case max
    }

    var file: String?
    var duration: Duration?
    var history: String?
    var speed: Speed?
    var rate: Int?
    var seed: UInt64?
    var runFolder: String?
    var timing = false
    var flaws: [String] = []
    var powerCuts = false
    /// How many processes to kill at random moments.
    var kills = 0
    /// Settings that replace those of the topology file.
    var settings: [SettingOverride] = []
}

/// The options of `squall report`.
struct ReportOptions: Sendable, Hashable {
    var run: String?
    var file = "report.html"
    var junit: String?
}

struct NewServiceOptions: Sendable, Hashable {
    var name: String
    /// The events, as the user named them.
    var events: [String]
}

struct LogsOptions: Sendable, Hashable {
    var service: String?
    var follows = false
    var lines = 20
}

struct EventsOptions: Sendable, Hashable {
    var topic: String?
    var follows = false
    var last: Int?
}

enum DeadLetterCommand: Sendable, Hashable {
    case list(service: String?)
    case show(number: Int, service: String?)
    /// Puts one dead letter, or all where `number` is nil, back into its service's inbox.
    case redrive(number: Int?, service: String?, dryRun: Bool)
}

struct RewindOptions: Sendable, Hashable {
    enum Target: Sendable, Hashable {
        case offset(Int)
        case ago(Duration)
    }

    var service: String
    var topic: String?
    var target: Target
}
