extension Invocation {
    /// Understands `squall bench`.
    static func bench(_ words: Words) throws(UsageError) -> BenchOptions {
        switch words.operands[0] {
        case "mesh": break
        case "sim":
            let strange = words.specification.options.first { words.has($0.name) }
            if let strange { throw words.error("--\(strange.name) belongs to mesh") }
            return .sim
        default:
            throw words.error("there is no bench '\(words.operands[0])'; there are mesh and sim")
        }
        var options = BenchMeshOptions()
        options.work =
            try self.choice(words, "work", BenchMeshOptions.Work.self) ?? options.work
        options.consumers = try self.number(words, "cons", in: 1...100) ?? options.consumers
        options.size = try self.number(words, "size", in: 24...16_777_216) ?? options.size
        options.window = try self.number(words, "window", in: 1...65_536) ?? options.window
        options.rate = try self.number(words, "rate", in: 1...1_000_000) ?? options.rate
        if let text = words.value("dur") {
            guard let seconds = Double(text), (0.1...3600).contains(seconds) else {
                throw words.error("--dur is a number of seconds from 0.1, not '\(text)'")
            }
            options.seconds = seconds
        }
        return .mesh(options)
    }
}
