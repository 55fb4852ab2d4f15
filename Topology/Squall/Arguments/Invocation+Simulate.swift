import Chaos

extension Invocation {
    /// Understands `squall bench`.
    static func bench(_ words: Words) throws(UsageError) -> Command {
        guard words.operands[0] == "sim" else {
            throw words.error("there is no bench '\(words.operands[0])'; there is sim")
        }
        return .benchSim
    }

    /// Understands `squall sim`.
    static func sim(_ words: Words) throws(UsageError) -> SimOptions {
        var options = SimOptions(file: words.operand(0))
        options.runs = try self.number(words, "runs", in: 1...1_000_000_000)
        options.orders = try self.number(words, "orders", in: 1...1_000_000) ?? options.orders
        options.faults = try self.number(words, "faults", in: 0...100_000) ?? options.faults
        options.threads = try self.number(words, "threads", in: 1...1024)
        options.flaws = words.all("bug")
        options.isPlain = words.has("plain")
        options.other = words.value("with")
        options.without = words.all("without")
        if let text = words.value("strategy") {
            guard let strategy = Scenario.Strategy(rawValue: text) else {
                throw words.error("--strategy is random or pct, not '\(text)'")
            }
            options.strategy = strategy
        }
        if let text = words.value("seed") {
            guard let seed = UInt64(text) else {
                throw words.error("--seed is a whole number from 0, not '\(text)'")
            }
            options.seed = seed
        }
        let tasks: [(String, SimOptions.Task)] = [
            ("events", .events), ("verify", .verify), ("hashes", .hashes),
            ("list-bugs", .listBugs), ("bugs", .bugs),
        ]
        let given = tasks.filter { words.has($0.0) }
        if given.count > 1 {
            throw words.error("--\(given[0].0) and --\(given[1].0) exclude each other")
        }
        options.task = given.first?.1 ?? .search
        if options.task == .events, options.runs != nil {
            throw words.error("--events shows one run; give its --seed instead of --runs")
        }
        if options.other != nil, options.task != .verify {
            throw words.error("--with belongs to --verify")
        }
        return options
    }
}
