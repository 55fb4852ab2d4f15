import Mesh

/// Asks the probe to do something in one step.
package struct Asked: Event, Hashable {
    package static let type = "probe.asked.v1"
    package static let topic = "asked"

    /// What a turn is to do.
    package enum Deed: String, Sendable, CaseIterable {
        /// Counts, and answers twice.
        case count
        /// Throws before it decides, in the first `amount` attempts; then counts.
        case fail
        /// Throws within its decision, in the first `amount` attempts; then counts.
        case failInside
        /// Returns without a decision.
        case nothing
        /// Counts, answers and sets the timer `name` to `amount` milliseconds from now.
        case schedule
        /// Cancels the timer `name`.
        case cancel
        /// Emits to a topic that the topology does not let it emit to.
        case emitElsewhere
        /// Answers with its settings, its name and its partition.
        case introduce
        /// Writes `name` to the log.
        case log
    }

    package var who = ""
    package var number = 0
    package var deed = Deed.count
    package var amount = 0
    package var name = ""
    package var subject: String { self.who }

    package init() {}

    package init(_ who: String, _ number: Int, _ deed: Deed, _ amount: Int = 0, name: String = "") {
        self.who = who
        self.number = number
        self.deed = deed
        self.amount = amount
        self.name = name
    }

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("who", &self.who)
        try coder.field("number", &self.number)
        try coder.field("deed", &self.deed)
        try coder.field("amount", &self.amount)
        try coder.field("name", &self.name)
    }
}

/// Asks the probe to do something that takes time.
package struct AskedToWait: Event, Hashable {
    package static let type = "probe.asked-to-wait.v1"
    package static let topic = "asked"

    package enum Deed: String, Sendable, CaseIterable {
        /// Charges one cent under `who`, throws in the first `amount` attempts, then counts.
        case charge
        /// Sleeps for `amount` milliseconds, then counts and answers how long that was.
        case sleep
    }

    package var who = ""
    package var number = 0
    package var deed = Deed.charge
    package var amount = 0
    package var subject: String { self.who }

    package init() {}

    package init(_ who: String, _ number: Int, _ deed: Deed, _ amount: Int = 0) {
        self.who = who
        self.number = number
        self.deed = deed
        self.amount = amount
    }

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("who", &self.who)
        try coder.field("number", &self.number)
        try coder.field("deed", &self.deed)
        try coder.field("amount", &self.amount)
    }
}

/// An event of a topic that the probe consumes, for which it has no handler.
package struct NotForProbe: Event, Hashable {
    package static let type = "probe.not-for-you.v1"
    package static let topic = "asked"
    package var who = ""
    package var subject: String { self.who }

    package init() {}
    package init(_ who: String) { self.who = who }

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("who", &self.who)
    }
}

/// What the probe saw when it decided.
package struct Answered: Event, Hashable {
    package static let type = "probe.answered.v1"
    package static let topic = "answered"
    package var who = ""
    package var number = 0
    package var attempt = 0
    /// How many changes of this subject were applied before this decision.
    package var before = 0
    /// How many changes of the whole partition were.
    package var beforeInPartition = 0
    package var text = ""
    package var subject: String { self.who }

    package init() {}

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("who", &self.who)
        try coder.field("number", &self.number)
        try coder.field("attempt", &self.attempt)
        try coder.field("before", &self.before)
        try coder.field("beforeInPartition", &self.beforeInPartition)
        try coder.field("text", &self.text)
    }
}

/// What the probe must not emit: no topology lets it.
package struct Undeclared: Event, Hashable {
    package static let type = "probe.undeclared.v1"
    package static let topic = "elsewhere"
    package var who = ""
    package var subject: String { self.who }

    package init() {}
    package init(_ who: String) { self.who = who }

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("who", &self.who)
    }
}

/// A timer of the probe.
package struct Rang: Event, Hashable {
    package static let type = "probe.rang.v1"
    package static let topic = ""
    package var who = ""
    package var name = ""
    package var subject: String { self.who }

    package init() {}

    package init(_ who: String, name: String) {
        self.who = who
        self.name = name
    }

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("who", &self.who)
        try coder.field("name", &self.name)
    }
}

/// One thing that the probe counted.
package struct Counted: WireCodable, Hashable {
    package var who = ""

    package init() {}
    package init(_ who: String) { self.who = who }

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("who", &self.who)
    }
}
