import Chaos
import Mesh
import RealWorld
import TopologyFile

/// `squall logs`: what the processes of a run printed.
struct LogsCommand {
    let context: CommandContext
    let options: LogsOptions

    /// One process's file, and how far it was shown.
    private struct Source {
        var name: String
        var path: String
        var offset: Int
        var partial = ""
    }

    func run() throws(ControlError) -> Int32 {
        let run = try self.context.readableRun()
        let folder = "\(run.path)/\(RunFolder.Name.logs)"
        let watch = self.options.follows ? try FolderWatch(folder) : nil
        var sources = try self.sources(in: folder)
        let width = sources.map(\.name.count).max() ?? 0
        for index in sources.indices {
            let text = (try? FileSystem.readText(sources[index].path)) ?? ""
            sources[index].offset = text.utf8.count
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                .dropLast(text.hasSuffix("\n") || text.isEmpty ? 1 : 0)
            for line in lines.suffix(self.options.lines) {
                self.write(String(line), of: sources[index].name, width)
            }
        }
        guard let watch else {
            self.context.hint("squall logs -f shows more as it comes")
            return ExitCode.held
        }
        while true {
            watch.wait()
            if self.options.service == nil { try self.add(to: &sources, folder) }
            for index in sources.indices { self.follow(&sources[index], width) }
        }
    }

    private func sources(in folder: String) throws(ControlError) -> [Source] {
        let names = FileSystem.names(in: folder).filter { $0.hasSuffix(".log") }
            .map { String($0.dropLast(4)) }
        guard let wanted = self.options.service else {
            return names.map { Source(name: $0, path: "\(folder)/\($0).log", offset: 0) }
        }
        guard names.contains(wanted) else {
            let closest = Suggestion.closest(to: wanted, among: names)
            throw ControlError(
                "there is no process '\(wanted)'"
                    + (closest.map { "; did you mean '\($0)'?" }
                        ?? "; there are \(names.joined(separator: ", "))"),
                hint: "squall ps",
                isUsage: true
            )
        }
        return [Source(name: wanted, path: "\(folder)/\(wanted).log", offset: 0)]
    }

    private func add(to sources: inout [Source], _ folder: String) throws(ControlError) {
        for source in try self.sources(in: folder)
        where !sources.contains(where: { $0.name == source.name }) {
            sources.append(source)
        }
    }

    private func follow(_ source: inout Source, _ width: Int) {
        let size = FileSystem.size(source.path)
        // The file started over.
        if size < source.offset { source.offset = 0 }
        guard size > source.offset, let bytes = try? FileSystem.read(source.path) else { return }
        let fresh = bytes.dropFirst(source.offset)
        source.offset = bytes.count
        source.partial += String(decoding: fresh, as: UTF8.self)
        var lines = source.partial.split(separator: "\n", omittingEmptySubsequences: false)
        source.partial = lines.popLast().map(String.init) ?? ""
        for line in lines { self.write(String(line), of: source.name, width) }
    }

    private func write(_ line: String, of name: String, _ width: Int) {
        let terminal = self.context.terminal
        if self.context.output.json {
            let json: JSONValue = ["process": .string(name), "line": .string(line)]
            return terminal.write(json.text)
        }
        terminal.write(terminal.style.blue(HumanText.padded(name, width)) + " | " + line)
    }
}
