import Mesh

/// Only a partition's owner commits, and it commits one turn after the other.
package final class EpochsAscend: Invariant {
    package let name = "epochs-ascend"
    package let promise = "only the current owner of a partition commits, turn by turn"
    package let hears: Hearing = [.records, .turns]

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

    package func recorded(_ record: RecordView) -> Finding? {
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

        case .turn, .published, .timerFired, .deadLettered, .redriven, .rewound, .closed,
            .checkpoint:
            return nil
        }
    }

    package func finished(_ end: RunEnd) -> Finding {
        .held(counted(self.turns, "turn"))
    }

    package func committed(_ record: RecordView) -> Finding? {
        let (turn, position) = (record.turn, record.position)
        guard self.exists(turn.service, turn.partition) else { return nil }
        if self.isReset(record) { return nil }
        self.turns += 1
        // Field by field: a copy of an owner counts references to its name.
        guard let epoch = self.owners[turn.service][turn.partition]?.epoch,
            let last = self.owners[turn.service][turn.partition]?.sequence
        else {
            // A log without its beginning has lost who owned the partition.
            self.owners[turn.service][turn.partition] = Owner(
                epoch: turn.epoch,
                sequence: turn.sequence,
                instance: "nobody",
                position: position
            )
            return self.isWhole ? self.broken(turn, "without an owner", nil, position) : nil
        }
        self.owners[turn.service][turn.partition]?.sequence = turn.sequence
        if turn.epoch != epoch {
            let what = turn.epoch < epoch ? "with an old epoch" : "with an unknown epoch"
            return self.broken(turn, what, self.owners[turn.service][turn.partition], position)
        }
        if turn.sequence != last &+ 1 {
            let what = "turn \(turn.sequence) after turn \(last)"
            return self.broken(turn, what, nil, position)
        }
        return nil
    }

    private func broken(
        _ turn: RecordView.Turn,
        _ what: String,
        _ owner: Owner?,
        _ position: UInt64
    ) -> Finding {
        var witness: [Witness] = []
        if let owner {
            let text = "epoch \(owner.epoch) to \(owner.instance)"
            witness.append(Witness(text, position: owner.position))
        }
        let text = "turn \(turn.sequence) of epoch \(turn.epoch)"
        witness.append(Witness(text, position: position))
        let name = self.name(turn.service, turn.partition)
        return Finding(.broken, "\(name) committed \(what)", witness: witness)
    }

    /// Whether the hub itself wrote this, to let a rewound projection begin anew.
    private func isReset(_ record: RecordView) -> Bool {
        guard record.turn.hasEmptySnapshot else { return false }
        let turn = record.turn
        let last = self.owners[turn.service][turn.partition]?.sequence
        // A hub that has started again does not know how far the owner was.
        let isNext = turn.sequence == 0 || turn.sequence == last
        return record.acknowledged.isEmpty && record.events.isEmpty && turn.changeCount == 0
            && isNext
    }

    private func exists(_ service: Int, _ partition: Int) -> Bool {
        self.owners.indices.contains(service) && self.owners[service].indices.contains(partition)
    }

    private func name(_ service: Int, _ partition: Int) -> String {
        "\(self.layout.services[service].name)/\(partition)"
    }
}
