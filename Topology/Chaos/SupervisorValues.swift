import Mesh

/// What the supervisor must know of a process before it runs.
package struct ProcessPlan: Sendable, Hashable {
    package var name: String
    /// Stage 0 starts first and stops last; each stage waits for those before it.
    package var stage: Int
    package var restart: RestartPolicy

    package init(name: String, stage: Int = 0, restart: RestartPolicy = RestartPolicy()) {
        self.name = name
        self.stage = stage
        self.restart = restart
    }
}

/// When a process that ended is started again.
package struct RestartPolicy: Sendable, Hashable {
    package enum Condition: String, Sendable, CaseIterable {
        case always
        /// Unless it ended with code 0.
        case onFailure
        case never
    }

    package var condition = Condition.always
    /// The wait before the second restart in a row; doubles with each further one.
    package var backoffMin = Duration.milliseconds(50)
    package var backoffMax = Duration.seconds(5)
    /// How many early ends make a crash loop.
    package var crashLoopCount = 5
    /// The time within which they must come.
    package var crashLoopWithin = Duration.seconds(10)
    /// A process that was ready for this long did not end early, and is started again at once.
    package var settledAfter = Duration.seconds(1)

    package init() {}
}

/// How a process ended.
package enum ProcessEnd: Sendable, Hashable, CustomStringConvertible {
    case exited(code: Int32)
    case signalled(signal: Int32, name: String)
    case notStarted(reason: String)

    package var description: String {
        switch self {
        case .exited(let code):
            return "exited with code \(code)"

        case .signalled(_, let name):
            return "was ended by \(name)"

        case .notStarted(let reason):
            return "could not be started: \(reason)"
        }
    }
}

/// What can be sent to a process.
package enum ProcessSignal: String, Sendable, CaseIterable {
    case terminate
    case kill
    case pause
    case resume
}

/// What the owner of a ``Supervisor`` must do, in this order.
package enum SupervisorAction: Sendable, Hashable {
    /// Start the process and say `spawned` or `spawnFailed`.
    case spawn(String)
    /// Send a signal to the process and to those that it started.
    case signal(String, pid: Int32, ProcessSignal)
    /// Nothing to do, but worth telling.
    case report(SupervisorReport)
    /// Every process has ended, as was asked for.
    case finished
}

/// What happened to a process.
package enum SupervisorReport: Sendable, Hashable {
    case started(String, pid: Int32)
    /// `after` is the time since it was started; `servingAfter` the time since it was killed, or
    /// since its end was noticed, nil for the first start.
    case ready(String, pid: Int32, after: Duration, servingAfter: Duration?)
    /// `noticedAfter` is the time since it was killed by command.
    case ended(
        String,
        pid: Int32?,
        ProcessEnd,
        wasPlanned: Bool,
        noticedAfter: Duration?,
        lastLines: [String]
    )
    case restarting(String, after: Duration)
    /// It ended as it was asked to, and is no part of the topology any more.
    case retired(String)
    /// Its policy says not to start it again.
    case stayedDown(String, ProcessEnd)
    /// A crash loop: so many early ends within so much time.
    case gaveUp(String, ends: Int, within: Duration, last: ProcessEnd, lastLines: [String])
    /// It was asked to end, did not within the grace period, and is killed now.
    case ignoredRequestToEnd(String, pid: Int32)
}

/// How a process is.
package struct SupervisedStatus: Sendable, Hashable {
    package enum State: String, Sendable, CaseIterable {
        case stopped
        case starting
        case ready
        case paused
        case backingOff = "backing off"
        case crashLoop = "crash loop"
        case stopping
    }

    package var name: String
    package var pid: Int32?
    package var state: State
    /// Since when it is in that state.
    package var since: Instant
    package var restarts: Int
    package var lastExit: ProcessEnd?
    /// The last lines that it wrote before its last end.
    package var lastLines: [String]
    /// How long the last start took, from spawning to ready.
    package var readyAfter: Duration?
    /// From its last kill by command until its end was noticed.
    package var noticedAfter: Duration?
    /// From its last kill by command, or from when another end was noticed, until it was ready.
    package var servingAfter: Duration?
}
