import Chaos

extension Invocation {
    /// Understands `squall run`.
    static func scenarios(_ words: Words) throws(UsageError) -> RunOptions {
        var options = RunOptions(paths: words.operands)
        options.world = words.has("real") ? .real : .simulated
        options.seedCount = try self.number(words, "seeds", in: 1...1_000_000_000)
        options.seed = try self.seed(words)
        options.flaws = words.all("bug")
        options.proves = words.has("prove")
        options.junit = words.value("junit")
        options.report = words.value("report")
        options.threads = try self.number(words, "threads", in: 1...1024)
        if options.proves, !options.flaws.isEmpty {
            throw words.error("--prove plants the bugs that the files name; leave --bug out")
        }
        if options.proves, options.junit != nil || options.report != nil {
            throw words.error("--prove writes neither --junit nor --report; leave them out")
        }
        if options.world == .real, options.threads != nil {
            throw words.error("--threads is for the simulated world; leave --real or it out")
        }
        return options
    }

    static func seed(_ words: Words) throws(UsageError) -> UInt64? {
        guard let text = words.value("seed") else { return nil }
        guard let seed = UInt64(text) else {
            throw words.error("--seed is a whole number from 0, not '\(text)'")
        }
        return seed
    }
}
