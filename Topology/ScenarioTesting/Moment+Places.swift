import Chaos
import Mesh

extension Moment {
    /// A link, or a set of them, that faults can be done to; each returns the link again.
    package struct Link {
        let moment: Moment
        let from: [String]
        let to: [String]
        let way: WrittenFault.Way

        /// What of the events on a link a fault hits; all of them by default.
        package struct Only: Sendable, Hashable {
            var members: [JSONValue.Member] = []

            /// Each with that chance: `"20%"`.
            package static func chance(_ chance: String) -> Only {
                Only(members: [.init("chance", .string(chance))])
            }

            /// Every n-th.
            package static func every(_ count: Int) -> Only {
                Only(members: [.init("every", .int(Int64(count)))])
            }

            /// Those of a type.
            package static func type(_ type: String) -> Only {
                Only(members: [.init("type", .string(type))])
            }

            /// Those about a subject.
            package static func subject(_ subject: String) -> Only {
                Only(members: [.init("subject", .string(subject))])
            }

            /// On that part of their way.
            package static func hop(_ hop: LinkFault.Hop) -> Only {
                Only(members: [.init("hop", .string(hop.rawValue))])
            }
        }

        /// Lets nothing pass.
        @discardableResult
        package func cut(for time: Span? = nil) -> Link { self.add(.cut, [], time) }

        /// Lets events take longer, by up to `jitter` more.
        @discardableResult
        package func delay(
            by: Span,
            jitter: Duration? = nil,
            _ only: Only...,
            for time: Span? = nil
        ) -> Link {
            let jitter = jitter.map { JSONValue.Member("jitter", .string($0.text)) }
            return self.add(.delay, only, time, [Moment.by(by), jitter])
        }

        /// Loses attempts, which are made again later.
        @discardableResult
        package func drop(_ only: Only..., for time: Span? = nil) -> Link {
            self.add(.drop, only, time)
        }

        /// Lets events pass twice.
        @discardableResult
        package func duplicate(_ only: Only..., for time: Span? = nil) -> Link {
            self.add(.duplicate, only, time)
        }

        /// Lets events of other subjects overtake.
        @discardableResult
        package func reorder(_ only: Only..., for time: Span? = nil) -> Link {
            self.add(.reorder, only, time)
        }

        /// Flips a byte on the way.
        @discardableResult
        package func corrupt(_ only: Only..., for time: Span? = nil) -> Link {
            self.add(.corrupt, only, time)
        }

        /// Lets everything stand still.
        @discardableResult
        package func hold(for time: Span? = nil) -> Link { self.add(.hold, [], time) }

        /// Lets only so many a second pass.
        @discardableResult
        package func throttle(rate: Int, for time: Span? = nil) -> Link {
            self.add(.throttle, [], time, [.init("rate", .int(Int64(rate)))])
        }

        /// Lets the fault before go on until it has bitten so often, but only so long.
        @discardableResult
        package func untilBitten(_ count: Int, atMost: Duration? = nil) -> Link {
            self.moment.untilBitten(count, atMost: atMost)
            return self
        }

        private func add(
            _ kind: Fault.Kind,
            _ only: [Only],
            _ time: Span?,
            _ parameters: [JSONValue.Member?] = []
        ) -> Link {
            var place: [JSONValue.Member] = [
                .init("from", Moment.names(self.from)), .init("to", Moment.names(self.to)),
            ]
            if self.way != .one { place.append(.init("way", .string(self.way.rawValue))) }
            let all = parameters + only.flatMap(\.members)
            self.moment.write(kind, at: place, .all, time, all)
            return self
        }
    }

    /// Outside parties that faults can be done to; each returns them again.
    package struct Party {
        let moment: Moment
        let names: [String]

        /// Hangs up on every request, or on every n-th.
        @discardableResult
        package func down(every: Int? = nil, for time: Span? = nil) -> Party {
            self.add(.down, Self.every(every), time)
        }

        /// Answers late.
        @discardableResult
        package func slowAnswers(by: Span, for time: Span? = nil) -> Party {
            self.add(.slowAnswers, Moment.by(by), time)
        }

        /// Does what it is asked, and never answers.
        @discardableResult
        package func timeoutAfter(every: Int? = nil, for time: Span? = nil) -> Party {
            self.add(.timeoutAfter, Self.every(every), time)
        }

        /// Answers twice.
        @discardableResult
        package func answersTwice(every: Int? = nil, for time: Span? = nil) -> Party {
            self.add(.answersTwice, Self.every(every), time)
        }

        /// Lets the fault before go on until it has bitten so often, but only so long.
        @discardableResult
        package func untilBitten(_ count: Int, atMost: Duration? = nil) -> Party {
            self.moment.untilBitten(count, atMost: atMost)
            return self
        }

        private static func every(_ count: Int?) -> JSONValue.Member? {
            count.map { .init("every", .int(Int64($0))) }
        }

        private func add(
            _ kind: Fault.Kind,
            _ parameter: JSONValue.Member?,
            _ time: Span?
        ) -> Party {
            self.moment.add(kind, self.names, .all, time, [parameter])
            return self
        }
    }

    /// The hub's disk, which faults can be done to.
    package struct Disk {
        let moment: Moment

        /// Fails one sync; what it covered may be lost.
        package func failedSync() { self.moment.add(.failedSync, ["hub"], .all, nil) }

        /// Lets each sync take longer.
        package func slowSync(by: Span, for time: Span? = nil) {
            self.moment.add(.slowSync, ["hub"], .all, time, [Moment.by(by)])
        }

        /// Leaves no room.
        package func full(for time: Span? = nil) { self.moment.add(.diskFull, ["hub"], .all, time) }

        /// Lets the power fail in the middle of a write.
        package func tornWrite() { self.moment.add(.tornWrite, ["hub"], .all, nil) }

        /// Flips a bit of what is written.
        package func bitRot() { self.moment.add(.bitRot, ["hub"], .all, nil) }
    }
}
