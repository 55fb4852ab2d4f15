import Mesh

/// What is done to a running topology on purpose that is no fault: it must do no harm.
package struct Operation: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A service gets another number of instances.
        case scale
        /// All instances of a service end in order and start again.
        case restart
        /// The instances of a service restart one after the other.
        case roll
        /// The dead letters of a service are handled again.
        case redrive
        /// A service reads its topics from the beginning again.
        case rewind
    }

    package var kind: Kind
    package var service: String
    /// How many instances `scale` asks for.
    package var instances = 1
    package var trigger: Fault.Trigger

    package init(
        _ kind: Kind,
        _ service: String,
        instances: Int = 1,
        _ trigger: Fault.Trigger
    ) {
        self.kind = kind
        self.service = service
        self.instances = instances
        self.trigger = trigger
    }

    /// The operation in words: `scale inventory to 3 at 2s`.
    package var description: String {
        switch self.trigger {
        case .at(let time): return "\(self.deed) at \(time.text)"
        case .after(let event, let time):
            let plus = time > .zero ? "\(time.text) " : ""
            return "\(self.deed) \(plus)after \(event)"
        }
    }

    /// What it does, without when.
    package var deed: String {
        let count = self.kind == .scale ? " to \(self.instances)" : ""
        return "\(self.kind.rawValue) \(self.service)\(count)"
    }
}
