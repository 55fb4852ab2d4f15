import Chaos

/// A process of the topology: how it is started, and when again.
package struct ProcessSpec: Sendable {
    package var name: String
    /// The executable, absolute or relative to the folder in which the process starts.
    package var path: String
    package var arguments: [String]
    /// Where it starts; the run folder where nil.
    package var folder: String?
    /// The whole environment.
    package var environment: [(name: String, value: String)]
    /// What its standard input starts with at each start.
    ///
    /// The input then stays open: its end means that the launcher died.
    package var standardInput: [UInt8]
    /// Stage 0 starts first and stops last; each stage waits for those before it.
    package var stage: Int
    package var restart: RestartPolicy
    /// Whether it may start processes of its own, which must not outlive squall.
    package var startsOthers: Bool

    package init(
        name: String,
        path: String,
        arguments: [String] = [],
        folder: String? = nil,
        environment: [(name: String, value: String)] = [],
        standardInput: [UInt8] = [],
        stage: Int = 0,
        restart: RestartPolicy = RestartPolicy(),
        startsOthers: Bool = false
    ) {
        self.name = name
        self.path = path
        self.arguments = arguments
        self.folder = folder
        self.environment = environment
        self.standardInput = standardInput
        self.stage = stage
        self.restart = restart
        self.startsOthers = startsOthers
    }
}

package typealias ProcessStatus = SupervisedStatus
