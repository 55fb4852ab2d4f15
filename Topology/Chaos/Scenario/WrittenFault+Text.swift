import Mesh

extension WrittenFault: CustomStringConvertible {
    /// The fault in words: `kill one of orders, payments at 100ms..3s for 1s`.
    package var description: String {
        let begin =
            switch self.trigger {
            case .at(let span): "at \(span)"
            case .after(let event, let span):
                (span == .zero ? "" : "\(span) ") + "after \(event)"
            }
        let end = Fault.lasting(
            self.duration == .zero ? "" : "\(self.duration)",
            untilBitten: self.untilBitten,
            atMost: self.atMost
        )
        var parameters = self.parameters
        parameters.by = nil
        var strength = parameters.words(for: self.kind)
        if let by { strength.insert(self.kind == .crashLoop ? "every \(by)" : "by \(by)", at: 0) }
        return ([self.kind.rawValue, self.place] + strength + [begin]).joined(separator: " ") + end
    }

    /// What it is done to, in words.
    private var place: String {
        let one = self.pick == .one ? "one of " : ""
        guard self.kind.aim == .link else { return one + Self.list(self.targets) }
        let arrow = self.way == .both ? "↔" : "→"
        return one + Self.list(self.targets) + arrow + Self.list(self.consumers)
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "*" : names.joined(separator: ", ")
    }
}

extension Span: CustomStringConvertible {
    /// The span as a file has it: `100ms`, `100ms..3s`.
    package var description: String {
        self.least == self.most ? self.least.text : "\(self.least.text)..\(self.most.text)"
    }
}
