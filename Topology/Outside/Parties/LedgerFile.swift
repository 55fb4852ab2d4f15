import Mesh

/// The file of a ledger: one line of JSON for each entry, each with a checksum.
///
/// An append that a crash cut short leaves a last line without its end; that entry was never
/// durable, so nobody was told of it. Any other line that does not say what was written is damage.
///
/// Public only so that the compiler makes what reads and writes anew for each kind of entry.
public enum LedgerFile {
    /// What a line ends with: its checksum under this key, of 16 digits, then ``tailEnd``.
    private static let checkKey: StaticString = ",\"check\":\""
    private static let tailEnd: StaticString = "\"}"
    private static let tailLength = 10 + 16 + 2
    private static let newline = UInt8(ascii: "\n")

    /// What was read.
    public struct Contents<Entry: WireCodable>: Sendable {
        /// The entries of the whole lines.
        public var entries: [Entry]
        /// The bytes of the whole lines.
        public var length: Int
        /// The bytes of the line behind them that a crash cut short.
        public var tornBytes: Int
    }

    /// Returns the line of an entry, its line end included.
    public static func line(_ entry: some WireCodable) -> [UInt8] {
        var encoder = LedgerLineEncoder()
        var entry = entry
        // Writing reads fields and has nothing to refuse.
        do { try entry.fields(&encoder) } catch { preconditionFailure("writing failed: \(error)") }
        let check = encoder.writer.bytes.withUnsafeBytes { StableHash.of($0) }
        encoder.writer.pieces(atMost: self.tailLength + 1) { line in
            line.raw(self.checkKey)
            for index in 0..<16 { line.u8(Hex.digit(of: check, at: index)) }
            line.raw(self.tailEnd)
            line.u8(self.newline)
        }
        return encoder.writer.bytes
    }

    /// Whether `tail` is what a line ends with that begins with `covered`.
    private static func isTail(
        _ tail: UnsafeRawBufferPointer,
        of covered: UnsafeRawBufferPointer
    ) -> Bool {
        let check = StableHash.of(covered)
        let digits = self.checkKey.utf8CodeUnitCount
        for index in 0..<16 where tail[digits + index] != Hex.digit(of: check, at: index) {
            return false
        }
        return tail.hasText(self.checkKey, at: 0) && tail.hasText(self.tailEnd, at: digits + 16)
    }

    /// Reads all entries of a ledger whose bytes are those; `file` is its name, for errors.
    ///
    /// - Throws: ``LedgerError`` naming the line that is damaged.
    public static func read<Entry: WireCodable>(
        _ bytes: [UInt8],
        of type: Entry.Type = Entry.self,
        from file: String
    ) throws(LedgerError) -> Contents<Entry> {
        var contents = Contents<Entry>(entries: [], length: 0, tornBytes: bytes.count)
        let damage: WireError? = bytes.withUnsafeBytes { raw in
            do throws(WireError) {
                try self.read(raw, into: &contents)
                return nil
            } catch {
                return error
            }
        }
        guard let damage else { return contents }
        throw LedgerError(
            file: file,
            line: contents.entries.count + 1,
            message: "\(damage.message); what follows can't be trusted: put the ledger "
                + "aside for examination, or restore it from a copy"
        )
    }

    private static func read<Entry: WireCodable>(
        _ bytes: UnsafeRawBufferPointer,
        into contents: inout Contents<Entry>
    ) throws(WireError) {
        var index = 0
        while index < bytes.count {
            if bytes[index] == self.newline {
                let line = UnsafeRawBufferPointer(rebasing: bytes[contents.length..<index])
                contents.entries.append(try self.entry(line))
                contents.length = index + 1
                contents.tornBytes = bytes.count - contents.length
            }
            index += 1
        }
    }

    /// Returns the bytes of a ledger; none where the file does not exist.
    package static func bytes(
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
        _ line: UnsafeRawBufferPointer
    ) throws(WireError) -> Entry {
        let split = line.count - self.tailLength
        guard split > 0 else { throw WireError("the line has no checksum") }
        let covered = UnsafeRawBufferPointer(rebasing: line[..<split])
        let tail = UnsafeRawBufferPointer(rebasing: line[split...])
        guard self.isTail(tail, of: covered) else {
            throw WireError("the line is not what was written: its checksum differs")
        }
        var decoder = LedgerLineDecoder(covered)
        var entry = Entry()
        if (try? entry.fields(&decoder)) != nil, decoder.isAtEnd { return entry }
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
public struct LedgerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file's name.
    public var file: String
    /// The line, from 1; 0 where it is about the whole file.
    public var line: Int
    /// What is wrong, and what to do.
    public var message: String

    package init(file: String, line: Int, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    /// The place and what is wrong.
    public var description: String {
        self.line == 0
            ? "\(self.file): \(self.message)" : "\(self.file):\(self.line): \(self.message)"
    }
}
