/// The modules, what each may import, and whether it is pure.
///
/// Dependencies point down only, and what is pure never imports what does I/O. The build checks
/// the package's own modules too; this table is also about those of the toolchain.
enum House {
    struct Part {
        var folder: String
        var imports: Set<String>
        /// Neither clock, randomness, files, sockets nor threads.
        var isPure: Bool
    }

    private static let capabilities = [
        "Orders", "Inventory", "Payments", "Notifications", "Analytics",
    ]

    static let parts: [Part] =
        [
            Part(folder: "Shared/CSystem", imports: [], isPure: false),
            Part(folder: "Shared/Mesh", imports: [], isPure: true),
            Part(
                folder: "Shared/MeshSocket",
                imports: ["CSystem", "Glibc", "Mesh", "Synchronization"],
                isPure: false
            ),
            Part(folder: "Shared/ServiceKit", imports: ["Mesh"], isPure: true),
            Part(
                folder: "Shared/ServiceMain",
                imports: ["Glibc", "Mesh", "MeshSocket", "ServiceKit"],
                isPure: false
            ),
            Part(folder: "Shared/Events", imports: ["Mesh", "ServiceKit"], isPure: true),
            Part(folder: "Topology/TopologyFile", imports: ["Mesh"], isPure: true),
            Part(
                folder: "Topology/Hub",
                imports: ["Glibc", "Mesh", "MeshSocket", "TopologyFile"],
                isPure: false
            ),
            Part(
                folder: "Topology/Outside/Parties",
                imports: ["Events", "Mesh", "ServiceKit"],
                isPure: true
            ),
            Part(
                folder: "Topology/Outside/Shell",
                imports: [
                    "Events", "Glibc", "Mesh", "MeshSocket", "OutsideParties", "ServiceKit",
                    "TopologyFile",
                ],
                isPure: false
            ),
            Part(
                folder: "Topology/Adapter/Dialogue",
                imports: ["Events", "Mesh"],
                isPure: true
            ),
            Part(
                folder: "Topology/Adapter/Shell",
                imports: ["AdapterDialogue", "Glibc", "Mesh", "MeshSocket"],
                isPure: false
            ),
            Part(
                folder: "Topology/Chaos",
                imports: ["Events", "Mesh", "OutsideParties", "ServiceKit", "TopologyFile"],
                isPure: true
            ),
            Part(
                folder: "Topology/RealWorld",
                imports: [
                    "CSystem", "Chaos", "Events", "Glibc", "Mesh", "MeshSocket", "OutsideParties",
                    "ServiceKit", "TopologyFile",
                ],
                isPure: false
            ),
            Part(folder: "Topology/CWatch", imports: [], isPure: false),
            Part(
                folder: "Topology/SimulatedWorld",
                imports: Set(
                    [
                        "CWatch", "Chaos", "Events", "Mesh", "OutsideParties", "ServiceKit",
                        "Synchronization", "TopologyFile",
                    ]
                        + House.capabilities.map { "\($0)Service" }
                ),
                isPure: true
            ),
            Part(
                folder: "Topology/ScenarioTesting",
                imports: [
                    "Chaos", "Glibc", "Mesh", "RealWorld", "ServiceKit", "SimulatedWorld",
                    "Testing", "TopologyFile",
                ],
                isPure: false
            ),
            Part(
                folder: "Topology/Squall",
                imports: [
                    "Chaos", "Events", "Glibc", "Mesh", "MeshSocket", "RealWorld",
                    "ServiceKit", "SimulatedWorld", "Synchronization", "TopologyFile",
                ],
                isPure: false
            ),
        ]
        + House.capabilities.flatMap { name in
            [
                Part(
                    folder: "Services/\(name)",
                    imports: ["Events", "Mesh", "ServiceKit"],
                    isPure: true
                ),
                Part(
                    folder: "Services/\(name)/Main",
                    imports: ["\(name)Service", "ServiceMain"],
                    isPure: true
                ),
            ]
        }

    /// Returns the module that a file belongs to.
    static func part(of path: String) -> Part? {
        self.parts.filter { path.hasPrefix("\($0.folder)/") }.max {
            $0.folder.count < $1.folder.count
        }
    }

    /// What stands at the top of the repository.
    static let topLevel: Set = [
        "Package.swift", "README.md", "Services", "Shared", "Tests", "Topology",
    ]
    /// What building adds to it.
    static let generated: Set = ["Package.resolved"]
}
