import Mesh
import RealWorld
import TopologyFile

/// Finds and reads topology files, for `up`, `lint` and `graph`.
enum TopologyCommands {
    /// Returns the file to take: the one named, else the one of this folder, else the shop that
    /// comes with squall.
    static func path(_ named: String?) throws(ControlError) -> String {
        if let named {
            guard FileSystem.exists(named) else {
                throw ControlError(
                    "there is no file '\(named)'",
                    hint: "squall help up",
                    isUsage: true
                )
            }
            return named
        }
        for name in ["topology.json", "Topology/shop.json"] where FileSystem.exists(name) {
            return name
        }
        var folder = FileSystem.executableFolder().split(separator: "/")
        while folder.popLast() != nil {
            let path = "/" + (folder + ["Topology", "shop.json"]).joined(separator: "/")
            if FileSystem.exists(path) { return path }
        }
        throw ControlError(
            "there is no topology.json and no Topology/shop.json here",
            hint: "squall up FILE",
            isUsage: true
        )
    }

    /// Reads a topology file.
    ///
    /// - Throws: `ControlError` whose message has one line for each problem.
    static func topology(_ path: String) throws(ControlError) -> Topology {
        do {
            return try Topology.parse(try FileSystem.readText(path), file: path)
        } catch {
            throw ControlError("\(error)", hint: "squall lint \(path)", isUsage: true)
        }
    }

    /// `squall lint`: says what is wrong in a topology file, or that nothing is.
    static func lint(_ file: String?, _ context: CommandContext) throws(ControlError) -> Int32 {
        let path = try self.path(file)
        let text: String
        do {
            text = try FileSystem.readText(path)
        } catch {
            throw ControlError(error.message)
        }
        var problems: [Problem] = []
        var warnings: [Problem] = []
        do throws(TopologyError) {
            warnings = try Topology.parse(text, file: path).warnings
        } catch {
            problems = error.problems
        }
        if context.output.json {
            let json: JSONValue = [
                "file": .string(path),
                "errors": .array(problems.map { .string("\($0)") }),
                "warnings": .array(warnings.map { .string("\($0)") }),
            ]
            context.terminal.write(json.text)
            return problems.isEmpty ? ExitCode.held : ExitCode.usage
        }
        let style = context.terminal.style
        for problem in problems { context.terminal.write(style.red("\(problem)")) }
        for warning in warnings { context.terminal.write(style.yellow("\(warning)")) }
        guard problems.isEmpty else {
            let count = problems.count
            context.terminal.write("\(path): \(count) problem\(count == 1 ? "" : "s")")
            return ExitCode.usage
        }
        context.terminal.write(style.green("\(path): nothing wrong"))
        context.hint("squall graph shows who sends what to whom")
        return ExitCode.held
    }

    /// `squall graph`: draws a topology file.
    static func graph(
        _ file: String?,
        format: String,
        _ context: CommandContext
    ) throws(ControlError) -> Int32 {
        let topology = try self.topology(try self.path(file))
        guard let format = Graph.Format(rawValue: format) else {
            throw ControlError("there is no format '\(format)'")
        }
        let text = topology.graph(format)
        if context.output.json {
            let json: JSONValue = ["graph": .string(text)]
            context.terminal.write(json.text)
        } else {
            context.terminal.writeRaw(text)
        }
        return ExitCode.held
    }
}
