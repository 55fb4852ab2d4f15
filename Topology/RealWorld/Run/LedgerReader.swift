import Chaos
import MeshSocket
import OutsideParties
import TopologyFile

/// Reads what shoppers, bank and mail relay wrote down in a run.
package enum LedgerReader {
    /// Returns the ledgers of a run folder; those that the topology has no party for are nil.
    ///
    /// - Throws: the first ledger's error, naming the file and the line.
    package static func ledgers(of folder: String, topology: Topology) throws -> Ledgers {
        let disk = try FolderDisk(folder: "\(folder)/\(RunFolder.Name.ledgers)", create: false)
        let kinds = topology.outside.map(\.kind)
        return Ledgers(
            shoppers: kinds.contains(.shoppers) ? try ShoppersLedger(reading: disk) : nil,
            bank: kinds.contains(.bank) ? try BankLedger(reading: disk) : nil,
            mail: kinds.contains(.mail) ? try MailLedger(reading: disk) : nil
        )
    }
}
