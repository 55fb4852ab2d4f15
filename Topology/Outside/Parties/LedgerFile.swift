import Mesh

/// The file of a ledger: one line of JSON for each entry, each with a checksum.
///
/// An append that a crash cut short leaves a last line without its end; that entry was never
/// durable, so nobody was told of it. Any other line that does not say what was written is damage.
package enum LedgerFile {
    /// The length of ``tail(of:)``: the key, 16 digits, a quote and a brace.
    private static let tailLength = 10 + 16 + 2
    private static let newline = UInt8(ascii: "\n")

    /// What was read.
    package struct Contents<Entry: WireCodable>: Sendable {
        package var entries: [Entry]
        /// The bytes of the whole lines.
        package var length: Int
        /// The bytes of the line behind them that a crash cut short.
        package var tornBytes: Int
    }

    /// Returns the line of an entry, its line end included.
    package static func line(_ entry: some WireCodable) -> [UInt8] {
        let covered = Array(entry.json.text.utf8.dropLast())
        return covered + self.tail(of: covered) + [self.newline]
    }

    /// The end of a line: the checksum of what stands before it.
    private static func tail(of covered: [UInt8]) -> [UInt8] {
        let check = covered.withUnsafeBytes { StableHash.of($0) }
        return Array(",\"check\":\"\(Hex.text(check))\"}".utf8)
    }

    /// Reads all entries of a ledger; none where the file does not exist.
    ///
    /// - Throws: ``LedgerError`` naming the line that is damaged.
    package static func read<Entry: WireCodable>(
        _ file: String,
        of type: Entry.Type = Entry.self,
        from disk: any Disk
    ) throws(LedgerError) -> Contents<Entry> {
        let bytes = try self.bytes(of: file, on: disk)
        var contents = Contents<Entry>(entries: [], length: 0, tornBytes: 0)
        while let end = bytes[contents.length...].firstIndex(of: self.newline) {
            do {
                contents.entries.append(try self.entry(bytes[contents.length..<end]))
            } catch {
                throw LedgerError(
                    file: file,
                    line: contents.entries.count + 1,
                    message: "\(error.message); what follows can't be trusted: put the ledger "
                        + "aside for examination, or restore it from a copy"
                )
            }
            contents.length = end + 1
        }
        contents.tornBytes = bytes.count - contents.length
        return contents
    }

    private static func bytes(
        of file: String,
        on disk: any Disk
    ) throws(LedgerError) -> [UInt8] {
        do {
            let size = try disk.size(of: file)
            return size == 0 ? [] : try disk.read(file, at: 0, count: size)
        } catch {
            throw LedgerError(file: file, line: 0, message: "can't be read: \(error.message)")
        }
    }

    private static func entry<Entry: WireCodable>(
        _ line: ArraySlice<UInt8>
    ) throws(WireError) -> Entry {
        let split = line.endIndex - self.tailLength
        guard split > line.startIndex else { throw WireError("the line has no checksum") }
        let covered = line[..<split]
        guard line[split...].elementsEqual(self.tail(of: Array(covered))) else {
            throw WireError("the line is not what was written: its checksum differs")
        }
        do {
            return try Entry(json: try JSONValue(parsingUTF8: covered + [UInt8(ascii: "}")]))
        } catch let error as JSONError {
            throw WireError("the line is not JSON: \(error.message)")
        } catch let error as WireError {
            throw error
        } catch {
            preconditionFailure("reading a line threw \(error)")
        }
    }
}

/// Why a ledger cannot be read.
package struct LedgerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file's name.
    package var file: String
    /// The line, from 1; 0 where it is about the whole file.
    package var line: Int
    /// What is wrong, and what to do.
    package var message: String

    package init(file: String, line: Int, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    package var description: String {
        self.line == 0
            ? "\(self.file): \(self.message)" : "\(self.file):\(self.line): \(self.message)"
    }
}
