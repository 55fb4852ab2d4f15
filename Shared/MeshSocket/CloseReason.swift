/// Why a connection is over.
package enum CloseReason: Sendable, Hashable, CustomStringConvertible {
    /// The other end closed it, or died.
    case peer
    /// A frame's header claims more bytes than this end takes.
    case frameTooLarge(Int)
    /// No line end came within the most bytes that a line may have.
    case lineTooLong(Int)
    /// The system refused to go on.
    case error(SystemError)
    /// This end closed it.
    case local

    package var description: String {
        switch self {
        case .peer:
            return "the other end closed the connection"

        case .frameTooLarge(let bytes):
            return "a frame's header claims \(bytes) bytes, more than this end takes"

        case .lineTooLong(let bytes):
            return "a line has more than \(bytes) bytes"

        case .error(let error):
            return error.description

        case .local:
            return "this end closed the connection"
        }
    }
}
