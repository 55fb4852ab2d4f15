import Mesh
import Synchronization

/// Something that a service did beside its host: what it depends on, the seed does not decide.
package struct Escape: Sendable, Hashable, CustomStringConvertible {
    /// The function of the C library, the executor, or the function of the host from another
    /// thread.
    package var call: String
    /// The process whose code ran.
    package var process: String
    /// The events whose handlers may have done it, each with its subject.
    package var handling: [String]
    /// What it means and what to do instead.
    private var meaning: String

    package var description: String {
        let events = self.handling.joined(separator: " or ")
        let moment = self.handling.isEmpty ? "" : ", in its handler of \(events),"
        return "\(self.process)\(moment) \(self.meaning)"
    }

    private init(_ call: String, _ process: String, _ handling: [String], _ meaning: String) {
        self.call = call
        self.process = process
        self.handling = handling
        self.meaning = meaning
    }

    /// A call of the C library.
    static func call(_ call: String, by process: String, handling: [String]) -> Escape {
        let meaning =
            switch call {
            case "clock_gettime", "gettimeofday", "time":
                "reads a clock of the machine (\(call)), as Date(), ContinuousClock and "
                    + "DispatchTime do: take turn.now or host.now()"
            case "getrandom", "getentropy", "rand", "random", "open /dev/urandom":
                "takes randomness from the machine (\(call)), as UUID(), random() and shuffled() "
                    + "do: take host.random(); ids of events are given by the turn"
            case "sleep", "usleep", "nanosleep", "clock_nanosleep":
                "lets its thread sleep (\(call)): use host.sleep(for:) or turn.schedule"
            case "dispatch_after", "dispatch_after_f", "dispatch_source_create":
                "sleeps by the machine's clock (\(call)), as Task.sleep does: use "
                    + "host.sleep(for:) or turn.schedule"
            case "dispatch_async", "dispatch_async_f":
                "hands work to a queue (\(call)), as DispatchQueue and the main actor do: a "
                    + "service has one thread, which is its host's"
            case "pthread_create":
                "starts a thread (\(call)), as Thread does: a service has one, "
                    + "which is its host's"
            case "posix_spawn":
                "starts a process (\(call)): what is outside is an outside party"
            case "socket":
                "opens a socket (\(call)): what is outside is an outside party, and is asked "
                    + "by turn.outside"
            default:
                "opens a file (\(call)): state is what turn.record keeps"
            }
        return Escape(call, process, handling, meaning)
    }

    /// A job that left for the global executor.
    static func job(_ job: String, by process: String, handling: [String]) -> Escape {
        let meaning =
            "starts work outside of its turn (job \(job) on the global executor), as Task {} and "
            + "Task.detached do: await it in the handler, or turn.schedule it"
        return Escape("the global executor", process, handling, meaning)
    }

    /// Whether it tells more of the same deed than `other`: what sleeps by a clock reads it first.
    fileprivate func covers(_ other: Escape) -> Bool {
        self.call.hasPrefix("dispatch_") && other.call == "clock_gettime"
            && self.process == other.process && self.handling == other.handling
    }

    /// A job that came from another thread.
    static func arrival(of job: String, at process: String) -> Escape {
        Escape(
            "another thread",
            process,
            [],
            "is woken by another thread (job \(job)): a handler awaits its host and outside "
                + "parties, not threads, queues, callbacks or the main actor"
        )
    }

    /// A function of the host that was called on another thread.
    static func use(of function: String, by process: String) -> Escape {
        Escape(
            function,
            process,
            [],
            "calls host.\(function) on another thread: a service runs on its host's"
        )
    }

    /// A handler that waits for what will never come.
    static func wait(of process: String, handling: [String]) -> Escape {
        Escape(
            "await",
            process,
            handling,
            "waits for something outside of the simulated world: neither its host nor an outside "
                + "party has anything under way for it"
        )
    }
}

/// The escapes of a run, from whatever thread they are noticed on.
final class EscapeList: Sendable {
    private let list = Mutex<[Escape]>([])

    /// How many are kept; the first tell enough.
    private static let countMax = 16

    var first: Escape? { self.list.withLock { $0.first } }
    var all: [Escape] { self.list.withLock { $0 } }

    func add(_ escape: Escape) {
        self.list.withLock { list in
            if let last = list.last, escape.covers(last) { list.removeLast() }
            if list.count < Self.countMax, !list.contains(escape) { list.append(escape) }
        }
    }
}
