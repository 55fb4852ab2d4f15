import Chaos
import RealWorld

/// What `squall help` prints.
enum HelpText {
    /// Returns the overview of all commands.
    static func overview(_ style: Style) -> String {
        var lines = [
            "\(style.bold("squall")) launches event-driven services, breaks them on purpose, "
                + "and judges what they promised.",
            "",
        ]
        let width = CommandCatalog.all.map(\.name.count).max() ?? 0
        for group in CommandSpecification.Group.allCases {
            lines.append(style.bold(group.rawValue))
            for command in CommandCatalog.all where command.group == group {
                lines.append("  \(HumanText.padded(command.name, width))  \(command.summary)")
            }
            lines.append("")
        }
        lines += [
            "Start with:  squall up          and in a second terminal:  squall kill payments",
            "More about one command, with examples:  squall help COMMAND",
        ]
        return lines.joined(separator: "\n")
    }

    /// Returns the help of one command.
    static func text(of command: CommandSpecification, _ style: Style) -> String {
        let usage = ["squall", command.name, command.operands, "[OPTIONS]"]
            .filter { !$0.isEmpty }.joined(separator: " ")
        var lines = [style.bold(usage), "  \(command.summary)"]
        if !command.details.isEmpty { lines += [""] + command.details.map { "  \($0)" } }
        lines += ["", style.bold("Examples")]
        let width = command.examples.map(\.line.count).max() ?? 0
        for example in command.examples {
            lines.append(
                "  \(HumanText.padded(example.line, width))  \(style.dim(example.meaning))"
            )
        }
        lines += ["", style.bold("Options")]
        let names = command.allOptions.map(Self.name(of:))
        let nameWidth = names.map(\.count).max() ?? 0
        for (option, name) in zip(command.allOptions, names) {
            let more = option.repeats ? " (may be repeated)" : ""
            lines.append("  \(HumanText.padded(name, nameWidth))  \(option.summary)\(more)")
        }
        return lines.joined(separator: "\n")
    }

    private static func name(of option: OptionSpecification) -> String {
        let short = option.short.map { "-\($0), " } ?? ""
        return "\(short)--\(option.name)" + (option.value.map { " \($0)" } ?? "")
    }
}
