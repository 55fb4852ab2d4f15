extension Invocation {
    /// Understands `squall bench`.
    static func bench(_ words: Words) throws(UsageError) -> BenchOptions {
        let ofAll = ["quick", "save", "baseline"]
        let ofMesh =
            ["work", "cons", "instances", "topics", "size", "dur", "window", "rate"]
            + ["armed", "observed"]
        let allowed =
            switch words.operand(0) {
            case nil: ofAll
            case "mesh": ofMesh
            case "sim", "growth": [String]()
            case let operand?:
                throw words.error(
                    "there is no bench '\(operand)'; there are mesh, growth and sim"
                )
            }
        if let wrong = (ofAll + ofMesh).first(where: { words.has($0) && !allowed.contains($0) }) {
            let owner = ofMesh.contains(wrong) ? "'bench mesh'" : "'bench' alone"
            throw words.error("--\(wrong) belongs to \(owner)")
        }
        switch words.operand(0) {
        case "mesh": break
        case "sim": return .sim
        case "growth": return .growth
        default:
            return .all(
                BenchAllOptions(
                    isQuick: words.has("quick"),
                    save: words.value("save"),
                    baseline: words.value("baseline")
                )
            )
        }
        var options = BenchMeshOptions()
        options.work =
            try self.choice(words, "work", BenchMeshOptions.Work.self) ?? options.work
        options.consumers = try self.number(words, "cons", in: 1...100) ?? options.consumers
        options.instances = try self.number(words, "instances", in: 1...100) ?? 1
        options.topics = try self.number(words, "topics", in: 1...1000) ?? 1
        let isFlow = [.pub, .durable].contains(options.work)
        guard options.instances == 1 || options.consumers == 1 && isFlow,
            options.topics == 1 || isFlow
        else {
            throw words.error("--instances and --topics are of pub and durable with one consumer")
        }
        options.isArmed = words.has("armed")
        options.isObserved = words.has("observed")
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
