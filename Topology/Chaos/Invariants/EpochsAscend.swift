import Mesh

/// Only a partition's owner commits, and it commits one turn after the other.
package struct EpochsAscend: Invariant {
    package let name = "epochs-ascend"
    package let promise = "only the current owner of a partition commits, turn by turn"

    private struct Owner {
        var epoch: UInt64
        var sequence: UInt64 = 0
        var instance: String
        var position: UInt64
    }

    private let layout: MeshLayout
    private var owners: [[Owner?]]
    private var turns = 0
    private var isWhole = false

    package init(layout: MeshLayout) {
        self.layout = layout
        self.owners = layout.services.map { [Owner?](repeating: nil, count: $0.partitions) }
    }

    package mutating func recorded(_ record: LogRecord) -> Finding? {
        switch record.body {
        case .opened:
            self.isWhole = true
            return nil

        case .assigned(let service, let partition, let epoch, let instance):
            guard self.exists(service, partition) else { return nil }
            let earlier = self.owners[service][partition]
            self.owners[service][partition] = Owner(
                epoch: epoch,
                instance: instance,
                position: record.position
            )
            guard let earlier, epoch <= earlier.epoch else { return nil }
            return .broken(
                "\(self.name(service, partition)) got epoch \(epoch) after \(earlier.epoch)",
                Witness(
                    "epoch \(earlier.epoch) to \(earlier.instance)",
                    position: earlier.position
                ),
                Witness("epoch \(epoch) to \(instance)", position: record.position)
            )

        case .turn(let turn): return self.committed(turn, record)

        case .published, .timerFired, .deadLettered, .redriven, .rewound, .closed: return nil
        }
    }

    package mutating func finished(_ end: RunEnd) -> Finding {
        .held(counted(self.turns, "turn"))
    }

    private mutating func committed(_ turn: RecordedTurn, _ record: LogRecord) -> Finding? {
        guard self.exists(turn.service, turn.partition) else { return nil }
        if self.isReset(turn) { return nil }
        self.turns += 1
        let name = self.name(turn.service, turn.partition)
        let here = Witness(
            "turn \(turn.sequence) of epoch \(turn.epoch)",
            position: record.position
        )
        guard let owner = self.owners[turn.service][turn.partition] else {
            // A log without its beginning has lost who owned the partition.
            guard self.isWhole else {
                self.owners[turn.service][turn.partition] = Owner(
                    epoch: turn.epoch,
                    sequence: turn.sequence,
                    instance: "",
                    position: record.position
                )
                return nil
            }
            return .broken("\(name) committed without an owner", here)
        }
        self.owners[turn.service][turn.partition]?.sequence = turn.sequence
        let there = Witness("epoch \(owner.epoch) to \(owner.instance)", position: owner.position)
        if turn.epoch != owner.epoch {
            let age = turn.epoch < owner.epoch ? "an old" : "an unknown"
            return .broken("\(name) committed with \(age) epoch", there, here)
        }
        guard turn.sequence == owner.sequence + 1 else {
            return .broken(
                "\(name) committed turn \(turn.sequence) after turn \(owner.sequence)",
                here
            )
        }
        return nil
    }

    /// Whether the hub itself wrote this, to let a rewound projection begin anew.
    private func isReset(_ turn: RecordedTurn) -> Bool {
        let owner = self.owners[turn.service][turn.partition]
        return turn.snapshot?.isEmpty == true && turn.acknowledged.isEmpty && turn.events.isEmpty
            && turn.changes.isEmpty && turn.sequence == owner?.sequence ?? 0
    }

    private func exists(_ service: Int, _ partition: Int) -> Bool {
        self.owners.indices.contains(service) && self.owners[service].indices.contains(partition)
    }

    private func name(_ service: Int, _ partition: Int) -> String {
        "\(self.layout.services[service].name)/\(partition)"
    }
}
