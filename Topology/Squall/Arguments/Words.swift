import TopologyFile

/// The words of a command line, sorted into the command's operands and options.
struct Words {
    let specification: CommandSpecification
    private(set) var operands: [String] = []
    private var values: [String: [String]] = [:]

    /// Sorts the words behind the command's name.
    ///
    /// Options are `--key value`, `--key=value` or, for a few, `-f`; `--` ends them.
    init(_ words: some Sequence<String>, of specification: CommandSpecification) throws(UsageError)
    {
        self.specification = specification
        var rest = Array(words)[...]
        while let word = rest.popFirst() {
            if word == "--" {
                self.operands += rest
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                self.operands.append(word)
                continue
            }
            try self.take(option: word, from: &rest)
        }
        guard !self.has("help") else { return }
        try self.checkOperandCount()
    }

    /// The command that explains this one.
    var help: String { "squall help \(self.specification.name)" }

    /// Returns whether an option was given.
    func has(_ option: String) -> Bool { self.values[option] != nil }

    /// Returns the value of an option, or nil where it was not given.
    func value(_ option: String) -> String? { self.values[option]?.last }

    /// Returns all values of an option that may be repeated, in their order.
    func all(_ option: String) -> [String] { self.values[option] ?? [] }

    /// Returns the operand at `index`, or nil where there are fewer.
    func operand(_ index: Int) -> String? {
        index < self.operands.count ? self.operands[index] : nil
    }

    /// Removes `for DURATION` from the end of the operands and returns the duration's text.
    mutating func takeTrailingDuration() throws(UsageError) -> String? {
        guard let index = self.operands.lastIndex(of: "for") else { return nil }
        guard index == self.operands.count - 2 else {
            throw self.error("'for' must be followed by one duration, such as 'for 5s'")
        }
        if self.has("for") { throw self.error("the duration is given twice: --for and 'for'") }
        let text = self.operands[index + 1]
        self.operands.removeLast(2)
        return text
    }

    /// Returns an error about this command.
    func error(_ message: String) -> UsageError {
        UsageError(message: "\(self.specification.name): \(message)", hint: self.help)
    }

    private mutating func take(
        option word: String,
        from rest: inout ArraySlice<String>
    ) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let key = String(parts[0])
        let attached = parts.count > 1 ? String(parts[1]) : nil
        guard let option = self.option(key) else { throw self.unknown(key) }
        if self.values[option.name] != nil, !option.repeats {
            throw self.error("--\(option.name) is given twice")
        }
        guard let valueName = option.value else {
            if attached != nil { throw self.error("--\(option.name) takes no value") }
            self.values[option.name] = [""]
            return
        }
        guard let value = attached ?? rest.popFirst(), !value.isEmpty else {
            throw self.error("--\(option.name) needs a value: --\(option.name) \(valueName)")
        }
        if attached == nil, value.hasPrefix("--") {
            throw self.error("--\(option.name) needs a value before '\(value)'")
        }
        self.values[option.name, default: []].append(value)
    }

    private func option(_ key: String) -> OptionSpecification? {
        self.specification.allOptions.first { option in
            key == "--\(option.name)" || option.short.map { key == "-\($0)" } ?? false
        }
    }

    private func unknown(_ key: String) -> UsageError {
        let names = self.specification.allOptions.map { "--\($0.name)" }
        let closest = Suggestion.closest(to: key, among: names)
        return self.error(
            "unknown option '\(key)'" + (closest.map { "; did you mean '\($0)'?" } ?? "")
        )
    }

    private func checkOperandCount() throws(UsageError) {
        // 'for DURATION' is checked where it is taken.
        let hasDuration = self.operands.dropLast().last == "for"
        let count = self.operands.count - (hasDuration ? 2 : 0)
        let allowed = self.specification.operandCount
        if count < allowed.lowerBound {
            throw self.error(
                "something is missing: squall \(self.specification.name) "
                    + self.specification.operands
            )
        }
        guard count > allowed.upperBound else { return }
        let word = self.operands[allowed.upperBound]
        throw self.error(
            "unexpected '\(word)': squall \(self.specification.name) "
                + self.specification.operands
        )
    }
}
