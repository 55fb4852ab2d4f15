import Mesh

/// Reads a file of JSON objects, one a line, in pieces.
struct LedgerLines {
    private let disk: any Disk
    private let file: String
    private let size: Int
    private var offset = 0
    private var buffer: [UInt8] = []
    private var place = 0
    private var number = 0

    init(disk: any Disk, file: String) throws(LedgerError) {
        self.disk = disk
        self.file = file
        do throws(DiskError) {
            self.size = try disk.size(of: file)
        } catch {
            throw LedgerError(file: file, line: 0, message: error.message)
        }
    }

    /// Returns the next line; nil at the end, and before a last line without its newline.
    mutating func next() throws(LedgerError) -> JSONValue? {
        while true {
            if let newline = self.buffer[self.place...].firstIndex(of: 0x0A) {
                let bytes = [UInt8](self.buffer[self.place..<newline])
                self.place = newline + 1
                self.number += 1
                do throws(JSONError) {
                    return try JSONValue(parsingUTF8: bytes)
                } catch {
                    throw self.error("the line is no JSON: \(error)")
                }
            }
            guard self.offset < self.size else { return nil }
            try self.fill()
        }
    }

    /// Returns an error about the line returned last.
    func error(_ message: String) -> LedgerError {
        LedgerError(file: self.file, line: self.number, message: message)
    }

    private mutating func fill() throws(LedgerError) {
        do throws(DiskError) {
            let count = min(1_048_576, self.size - self.offset)
            let bytes = try self.disk.read(self.file, at: self.offset, count: count)
            self.buffer.removeFirst(self.place)
            self.place = 0
            self.buffer.append(contentsOf: bytes)
            // A file that ends before its size says was cut in between: read it as far as it goes.
            self.offset = bytes.isEmpty ? self.size : self.offset + bytes.count
        } catch {
            throw self.error(error.message)
        }
    }
}

/// Why a ledger could not be read.
package struct LedgerError: Error, Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// The line, from 1; 0 where the file as a whole is meant.
    package var line: Int
    package var message: String

    package var description: String {
        self.line > 0
            ? "\(self.file):\(self.line): \(self.message)" : "\(self.file): \(self.message)"
    }
}
