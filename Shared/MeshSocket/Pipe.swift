import CSystem
import Glibc

/// A pipe whose ends are closed in every program that this process starts, unless handed over.
package struct Pipe {
    package let readEnd: Int32
    package let writeEnd: Int32

    package init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutableBytes(of: &ends) { buffer in
            buffer.withMemoryRebound(to: Int32.self) { squall_pipe($0.baseAddress) }
        }
        guard made == 0 else { throw .last("pipe2", message: EventLoop.limitAdvice) }
        (self.readEnd, self.writeEnd) = ends
    }

    /// Makes reads and writes at one end return at once; the other end is not touched.
    package static func setNonBlocking(_ end: Int32) {
        _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
    }
}
