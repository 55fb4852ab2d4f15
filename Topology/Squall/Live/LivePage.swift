/// Redraws the same lines in place on a terminal.
struct LivePage {
    private var drawn = 0

    /// Returns the bytes that replace the lines drawn before by these.
    ///
    /// Lines beyond `rows` are left out from the end: a page that scrolls cannot be redrawn.
    mutating func redrawn(_ lines: [String], rows: Int) -> String {
        let lines = lines.prefix(max(1, rows - 1))
        var out = self.drawn > 0 ? "\u{1B}[\(self.drawn)A\r" : ""
        for line in lines { out += line + "\u{1B}[K\n" }
        out += "\u{1B}[J"
        self.drawn = lines.count
        return out
    }
}
