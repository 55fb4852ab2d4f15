import Chaos

extension Invocation {
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
        options.exceptions = Set(words.all("without"))
        options.strategy = try self.choice(words, "strategy", Scenario.Strategy.self)
        options.seed = try self.seed(words)
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

    /// Understands `squall certify`.
    static func certify(_ words: Words) throws(UsageError) -> CertifyOptions {
        var options = CertifyOptions(file: words.operand(0))
        options.orders = try self.number(words, "orders", in: 1...1000) ?? options.orders
        options.threads = try self.number(words, "threads", in: 1...1024)
        options.flaws = words.all("bug")
        options.hasPairs = words.has("pairs")
        options.seed = try self.seed(words)
        if let text = words.value("only") {
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let number = Int(part), number > 0 else {
                    throw words.error("--only is the number of a fault, or two: 17 or 17,230")
                }
                options.only.append(number)
            }
        }
        return options
    }
}
