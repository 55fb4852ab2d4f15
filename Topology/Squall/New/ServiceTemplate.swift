/// The files of a new service: an actor that counts, its process, and its test.
struct ServiceTemplate {
    let service: NewService

    private var capability: String { self.service.capability }
    private var variable: String { self.service.variable }

    /// `Services/NAME/NAME.swift`.
    var actor: String {
        let handlers = self.service.events.map { event in
            """
                    .on(\(event.swiftName).self) { \(self.variable), event, turn in
                        \(self.variable).note(event, turn)
                    },
            """
        }.joined(separator: "\n")
        return """
            import Events
            public import Mesh
            public import ServiceKit

            /// Counts the events of each subject: a beginning, to be replaced by what it is for.
            public actor \(self.capability): Service {
                /// The service's name in the topology file.
                public static let name = "\(self.service.name)"
                /// Which events it handles.
                public static let consumes: [Subscription<\(self.capability)>] = [
            \(handlers)
                ]

                /// What the service knows of the world.
                public nonisolated let host: any Host
                private var counts: [String: Int] = [:]

                /// Creates the service.
                public init(host: any Host) {
                    self.host = host
                    for problem in Settings(host.settings).problems() { host.log(.error, problem) }
                }

                /// Returns how many events of a subject it has handled.
                public func count(of subject: String) -> Int { self.counts[subject] ?? 0 }

                private func note(_ event: some Event, _ turn: Turn<\(self.capability)>) {
                    // What an outside party has to say is awaited before `decide`, which alone
                    // reads state, records, emits and schedules.
                    turn.decide { turn.record(\(self.capability)Change(subject: event.subject)) }
                }

                /// Applies a change, when a turn decides and again at recovery: the only place
                /// where state changes.
                public func apply(_ change: \(self.capability)Change) {
                    self.counts[change.subject, default: 0] += 1
                }
            }

            /// What the service remembers of a turn.
            public struct \(self.capability)Change: WireCodable, Hashable {
                /// The subject of the event.
                public var subject = ""

                /// Creates an empty change.
                public init() {}

                /// Creates the change of its fields.
                public init(subject: String) { self.subject = subject }

                /// Codes the fields.
                public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
                    try coder.field("subject", &self.subject)
                }
            }

            """
    }

    /// `Services/NAME/Main/main.swift`.
    var main: String {
        """
        import \(self.capability)Service
        import ServiceMain

        ServiceProcess.run(\(self.capability).self)

        """
    }

    /// `Tests/ServicesTests/NAMETests.swift`.
    var test: String {
        let deliveries = self.service.events.map { event in
            "        let \(Self.variable(event.swiftName)) = \(event.swiftName)()\n"
                + "        #expect(try stage.deliver(\(Self.variable(event.swiftName)))"
                + ".failure == nil)\n"
                + "        expected[\(Self.variable(event.swiftName)).subject, default: 0] += 1\n"
        }.joined()
        return """
            import Chaos
            import Events
            import \(self.capability)Service
            import SimulatedWorld
            import TestSupport
            import Testing

            @Suite struct `The service \(self.service.name)` {
                @Test func `counts the events of each subject`() throws {
                    let stage = Stage<\(self.capability)>()
                    var expected: [String: Int] = [:]
            \(deliveries)\
                    for (subject, count) in expected {
                        let counted = stage.service.assumeIsolated { $0.count(of: subject) }
                        #expect(counted == count)
                    }
                }

                @Test(arguments: UInt64(1)...3)
                func `breaks no promise of the shop, whatever goes wrong`(seed: UInt64) throws {
                    let outcome = ScenarioRun.run(
                        \(self.capability).self,
                        in: try shopTopology(),
                        seed: seed
                    )
                    #expect(outcome.hasPassed, "\\(String(describing: outcome.failure))")
                }
            }

            """
    }

    private static func variable(_ type: String) -> String {
        type.prefix(1).lowercased() + type.dropFirst()
    }
}
