import Mesh
import OutsideParties

/// What the outside parties wrote down themselves; nil where a ledger is missing.
package struct Ledgers: Sendable {
    package var shoppers: ShoppersLedger?
    package var bank: BankLedger?
    package var mail: MailLedger?

    package init(
        shoppers: ShoppersLedger? = nil,
        bank: BankLedger? = nil,
        mail: MailLedger? = nil
    ) {
        self.shoppers = shoppers
        self.bank = bank
        self.mail = mail
    }

    /// What an idempotency key is about: what stands before a slash; the rest is the caller's own.
    package static func reference(of key: String) -> String {
        guard let slash = key.utf8.firstIndex(of: UInt8(ascii: "/")) else { return key }
        return String(key[..<slash])
    }

    /// Reads the ledgers that lie in one folder; one that isn't there is missing.
    ///
    /// - Throws: `LedgerError` naming the file and the line that cannot be read.
    package init(reading disk: any Disk) throws(LedgerError) {
        let names: [String]
        do throws(DiskError) {
            names = try disk.list()
        } catch {
            throw LedgerError(file: "ledgers", line: 0, message: error.message)
        }
        if names.contains(ShoppersLedger.fileName) {
            self.shoppers = try ShoppersLedger(reading: disk)
        }
        if names.contains(BankLedger.fileName) { self.bank = try BankLedger(reading: disk) }
        if names.contains(MailLedger.fileName) { self.mail = try MailLedger(reading: disk) }
    }
}
