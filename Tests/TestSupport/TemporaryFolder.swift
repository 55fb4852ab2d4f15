import Foundation

/// A folder that is gone with the test.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        var template = Array("/tmp/squall-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        self.path = template.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    package func file(_ name: String) -> String { "\(self.path)/\(name)" }
}
