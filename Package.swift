// swift-tools-version: 6.2
import PackageDescription

// Dependencies point down only. A target names every module that it imports, and nothing else:
// `.ci/run` builds with `--explicit-target-dependency-import-check error`.

extension [SwiftSetting] {
    static var strict: [SwiftSetting] {
        [
            .swiftLanguageMode(.v6),
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            // An asynchronous function stays on its caller's executor: a service never leaves its
            // host's loop by calling a helper.
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            // Debug builds check at run time for exclusive access, and that code of an actor runs
            // on the actor's executor; both cost a tenth of a simulated run.
            .unsafeFlags(
                [
                    "-cross-module-optimization", "-enforce-exclusivity=unchecked",
                    "-Xfrontend", "-disable-actor-data-race-checks",
                ],
                .when(configuration: .release)
            ),
        ]
    }
}

func dependencies(_ names: [String]) -> [Target.Dependency] {
    names.map { .target(name: $0) }
}

func library(_ name: String, in folder: String, on names: [String]) -> Target {
    .target(
        name: name,
        dependencies: dependencies(names),
        path: "\(folder)/\(name)",
        swiftSettings: .strict
    )
}

func executable(_ name: String, path: String, on names: [String]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies(names),
        path: path,
        swiftSettings: .strict
    )
}

func tests(_ name: String, on names: [String]) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies(names),
        path: "Tests/\(name)",
        swiftSettings: .strict
    )
}

/// One capability: its actor as a library, which both worlds link, and `Main` as the executable,
/// which only the real world starts.
func service(_ name: String) -> [Target] {
    [
        .target(
            name: "\(name)Service",
            dependencies: dependencies(["Events", "Mesh", "ServiceKit"]),
            path: "Services/\(name)",
            exclude: ["Main"],
            swiftSettings: .strict
        ),
        executable(
            name,
            path: "Services/\(name)/Main",
            on: ["\(name)Service", "ServiceMain"]
        ),
    ]
}

let capabilities = ["Orders", "Inventory", "Payments", "Notifications", "Analytics"]
let capabilityLibraries = capabilities.map { "\($0)Service" }

/// What every service links.
let shared: [Target] = [
    .target(name: "CSystem", path: "Shared/CSystem"),
    library("Mesh", in: "Shared", on: []),
    library("MeshSocket", in: "Shared", on: ["CSystem", "Mesh"]),
    library("ServiceKit", in: "Shared", on: ["Mesh"]),
    library("ServiceMain", in: "Shared", on: ["Mesh", "MeshSocket", "ServiceKit"]),
    library("Events", in: "Shared", on: ["Mesh", "ServiceKit"]),
]

/// What launches, breaks and judges the services.
let topology: [Target] = [
    library("TopologyFile", in: "Topology", on: ["Mesh"]),
    executable("Hub", path: "Topology/Hub", on: ["Mesh", "MeshSocket", "TopologyFile"]),
    .target(
        name: "OutsideParties",
        dependencies: dependencies(["Events", "Mesh", "ServiceKit"]),
        path: "Topology/Outside/Parties",
        swiftSettings: .strict
    ),
    executable(
        "Outside",
        path: "Topology/Outside/Shell",
        on: ["Mesh", "MeshSocket", "OutsideParties", "ServiceKit"]
    ),
    .target(
        name: "AdapterDialogue",
        dependencies: dependencies(["Events", "Mesh"]),
        path: "Topology/Adapter/Dialogue",
        swiftSettings: .strict
    ),
    executable(
        "Adapter",
        path: "Topology/Adapter/Shell",
        on: ["AdapterDialogue", "Mesh", "MeshSocket"]
    ),
    library(
        "Chaos",
        in: "Topology",
        on: ["Events", "Mesh", "OutsideParties", "ServiceKit", "TopologyFile"]
    ),
    library(
        "RealWorld",
        in: "Topology",
        on: [
            "CSystem", "Chaos", "Events", "Mesh", "MeshSocket", "OutsideParties", "ServiceKit",
            "TopologyFile",
        ]
    ),
    .target(name: "CWatch", path: "Topology/CWatch"),
    library(
        "SimulatedWorld",
        in: "Topology",
        on: ["CWatch", "Chaos", "Events", "Mesh", "OutsideParties", "ServiceKit", "TopologyFile"]
            + capabilityLibraries
    ),
    library(
        "ScenarioTesting",
        in: "Topology",
        on: ["Chaos", "Mesh", "RealWorld", "ServiceKit", "SimulatedWorld", "TopologyFile"]
    ),
    .executableTarget(
        name: "squall",
        dependencies: dependencies(
            [
                "Chaos", "Events", "Mesh", "MeshSocket", "RealWorld", "ServiceKit",
                "SimulatedWorld", "TopologyFile",
            ]
                + ["Adapter", "Hub", "Outside"] + capabilities
        ),
        path: "Topology/Squall",
        swiftSettings: .strict
    ),
]

let package = Package(
    name: "Squall",
    targets: shared + capabilities.flatMap(service) + topology + [
        tests(
            "SimulatedWorldTests",
            on: [
                "Chaos", "Events", "Mesh", "OutsideParties", "ServiceKit", "SimulatedWorld",
                "TestSupport", "TopologyFile",
            ]
        ),
        library("TestSupport", in: "Tests", on: ["Mesh", "TopologyFile"]),
        tests("AdapterTests", on: ["AdapterDialogue", "Events", "Mesh"]),
        tests(
            "FuzzTests",
            on: [
                "AdapterDialogue", "Events", "Mesh", "OutsideParties", "ServiceKit",
                "SimulatedWorld", "TopologyFile",
            ]
        ),
        tests(
            "ScenarioTests",
            on: [
                "Chaos", "Events", "Mesh", "RealWorld", "ScenarioTesting", "ServiceKit",
                "SimulatedWorld", "TopologyFile",
            ]
        ),
        tests("ChaosTests", on: ["Chaos", "Events", "Mesh", "OutsideParties"]),
        tests("MeshTests", on: ["Mesh", "SimulatedWorld"]),
        tests(
            "OutsidePartiesTests",
            on: ["Events", "Mesh", "MeshSocket", "Outside", "OutsideParties", "ServiceKit"]
        ),
        tests(
            "ServicesTests",
            on: [
                "Chaos", "Events", "Mesh", "OutsideParties", "ServiceKit", "SimulatedWorld",
                "TestSupport",
            ] + capabilityLibraries
        ),
        tests("CommandLineTests", on: ["Chaos", "Mesh", "RealWorld", "squall"]),
        tests("TopologyFileTests", on: ["Chaos", "Mesh", "TopologyFile"]),
        tests("TidyTests", on: []),
        .target(name: "CCounters", path: "Tests/CCounters"),
        tests(
            "GateTests",
            on: [
                "CCounters", "Chaos", "Events", "Mesh", "MeshSocket", "ServiceKit",
                "SimulatedWorld", "TestSupport", "TopologyFile",
            ]
        ),
        .target(
            name: "ProbeService",
            dependencies: dependencies(["Events", "Mesh", "ServiceKit"]),
            path: "Tests/Probe",
            exclude: ["Main"],
            swiftSettings: .strict
        ),
        executable("Probe", path: "Tests/Probe/Main", on: ["ProbeService", "ServiceMain"]),
        tests(
            "ConformanceTests",
            on: [
                "Chaos", "Events", "Mesh", "MeshSocket", "OutsideParties", "ProbeService",
                "ServiceKit", "SimulatedWorld", "TopologyFile",
            ] + ["Hub", "Outside", "Probe"]
        ),
        tests("MeshSocketTests", on: ["CSystem", "Mesh", "MeshSocket", "TestSupport"]),
        tests(
            "RealWorldTests",
            on: ["CSystem", "Chaos", "Mesh", "MeshSocket", "RealWorld", "TopologyFile"]
        ),
    ]
)
