import Glibc

/// Where a command writes: results to standard output, complaints to standard error.
struct Terminal: Sendable {
    /// Whether standard output is a terminal.
    let isInteractive: Bool
    /// How to write on standard output.
    let style: Style
    /// How to write on standard error.
    let errorStyle: Style

    init(_ color: OutputOptions.Color = .auto) {
        self.isInteractive = isatty(STDOUT_FILENO) == 1
        self.style = Style(color: Self.wantsColor(color, STDOUT_FILENO))
        self.errorStyle = Style(color: Self.wantsColor(color, STDERR_FILENO))
    }

    private static func wantsColor(_ color: OutputOptions.Color, _ descriptor: Int32) -> Bool {
        switch color {
        case .always: return true
        case .never: return false
        case .auto:
            let disabled = Self.environment("NO_COLOR").map { !$0.isEmpty } ?? false
            return !disabled && isatty(descriptor) == 1 && Self.environment("TERM") != "dumb"
        }
    }

    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// The columns and rows of the terminal, or what `COLUMNS` and `LINES` say.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            return (Int(size.ws_col), Int(size.ws_row))
        }
        let columns = Self.environment("COLUMNS").flatMap { Int($0) } ?? 100
        return (max(20, columns), Self.environment("LINES").flatMap { Int($0) } ?? 40)
    }

    /// Writes a result.
    func write(_ text: String) { Self.write(text + "\n", to: STDOUT_FILENO) }

    /// Writes a result without a line's end.
    func writeRaw(_ text: String) { Self.write(text, to: STDOUT_FILENO) }

    /// Writes what is wrong, and what to type next.
    func complain(_ message: String, hint: String?) {
        var text = self.errorStyle.red("squall:") + " \(message)\n"
        if let hint { text += self.errorStyle.dim("  try: \(hint)") + "\n" }
        Self.write(text, to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { raw in
                Glibc.write(descriptor, raw.baseAddress, raw.count)
            }
            if count < 0, errno == EINTR { continue }
            // Nobody reads any more: there is nobody to tell.
            guard count > 0 else { return }
            written += count
        }
    }
}
