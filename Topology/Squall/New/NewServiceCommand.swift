import Glibc
import Mesh
import RealWorld
import TopologyFile

/// `squall new service`: writes a service that compiles, runs in the shop and has a test.
struct NewServiceCommand {
    let context: CommandContext
    let options: NewServiceOptions

    private static let topology = "Topology/shop.json"
    private static let simulation = "Topology/SimulatedWorld/LinkedServices.swift"
    private static let lists = ["Package.swift", "Tests/TidyTests/House.swift"]

    /// What is to be written, and what a person has to do.
    private struct Plan {
        var created: [(path: String, text: String)] = []
        var changed: [(path: String, text: String)] = []
        var left: [String] = []
    }

    func run() throws(ControlError) -> Int32 {
        let service: NewService
        do throws(NewService.Mistake) {
            service = try NewService(named: self.options.name, on: self.options.events)
        } catch {
            throw ControlError(error.message, hint: "squall help new", isUsage: true)
        }
        let root = try self.root()
        let plan = try self.plan(service, in: root)
        do throws(FileSystem.Failure) {
            for file in plan.created + plan.changed {
                try FileSystem.makeFolders(FileSystem.folder(of: "\(root)/\(file.path)"))
                try FileSystem.write(file.text, to: "\(root)/\(file.path)")
            }
        } catch {
            throw ControlError(error.message)
        }
        self.tell(service, plan)
        return ExitCode.held
    }

    /// The folder of the package, at or above the working folder.
    private func root() throws(ControlError) -> String {
        var folder = CommandContext.workingFolder
        while true {
            if FileSystem.exists("\(folder)/Package.swift"),
                FileSystem.isFolder("\(folder)/Services")
            {
                return folder
            }
            guard folder != "/" else {
                throw ControlError(
                    "here is no project with Package.swift and Services to add a service to",
                    hint: "cd to the folder of Package.swift",
                    isUsage: true
                )
            }
            folder = FileSystem.folder(of: folder)
        }
    }

    // MARK: Planning

    private func plan(_ service: NewService, in root: String) throws(ControlError) -> Plan {
        let template = ServiceTemplate(service: service)
        var plan = Plan()
        let folder = "Services/\(service.capability)"
        plan.created = [
            ("\(folder)/\(service.capability).swift", template.actor),
            ("\(folder)/Main/main.swift", template.main),
            ("Tests/ServicesTests/\(service.capability)Tests.swift", template.test),
        ]
        for file in plan.created where FileSystem.exists("\(root)/\(file.path)") {
            throw ControlError(
                "\(file.path) exists already",
                hint: "squall help new",
                isUsage: true
            )
        }
        let editor = ProjectEditor(service: service)
        for path in Self.lists {
            let what = "add \"\(service.capability)\" to capabilities in \(path)"
            self.edit(path, in: root, &plan, otherwise: [what]) { editor.addCapability(to: $0) }
        }
        self.planSimulation(editor, in: root, &plan)
        self.planTopology(editor, in: root, &plan)
        return plan
    }

    /// Edits a file, or says what a person has to do where its form is another than expected.
    private func edit(
        _ path: String,
        in root: String,
        _ plan: inout Plan,
        otherwise: [String],
        _ change: (String) -> String?
    ) {
        if let text = try? FileSystem.readText("\(root)/\(path)"), let changed = change(text) {
            plan.changed.append((path, changed))
        } else {
            plan.left += otherwise
        }
    }

    private func planSimulation(_ editor: ProjectEditor, in root: String, _ plan: inout Plan) {
        let known = FileSystem.names(in: "\(root)/Services")
        let what = "add .init(\(editor.service.capability).self) in \(Self.simulation)"
        self.edit(Self.simulation, in: root, &plan, otherwise: [what]) { text in
            known.reversed().lazy.compactMap { editor.addToSimulation(text, behind: $0) }.first
        }
    }

    private func planTopology(_ editor: ProjectEditor, in root: String, _ plan: inout Plan) {
        let text = (try? FileSystem.readText("\(root)/\(Self.topology)")) ?? ""
        let links = (try? Topology.parse(text, file: Self.topology)).map(editor.links(in:)) ?? []
        let what =
            ["under services in \(Self.topology), add:"] + editor.serviceEntry.map { "  \($0)" }
            + ["under links, add:"] + links.map { "  \($0)" }
        self.edit(Self.topology, in: root, &plan, otherwise: what) { editor.addToTopology($0) }
    }

    // MARK: Telling

    private func tell(_ service: NewService, _ plan: Plan) {
        let terminal = self.context.terminal
        if self.context.output.json {
            let json: JSONValue = [
                "service": .string(service.name),
                "created": .array(plan.created.map { .string($0.path) }),
                "changed": .array(plan.changed.map { .string($0.path) }),
                "left": .array(plan.left.map { .string($0) }),
            ]
            return terminal.write(json.text)
        }
        for file in plan.created { terminal.write("created  \(file.path)") }
        for file in plan.changed { terminal.write("changed  \(file.path)") }
        for line in plan.left { terminal.write(terminal.style.yellow("to do    \(line)")) }
        self.context.hint(
            "swift build && swift test --filter \(service.capability)Tests"
                + " · squall up shows it running"
        )
    }
}
