import Foundation
import TopologyFile

/// The shop's own topology file, as users get it.
func shopTopology() throws -> Topology {
    let file = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Topology/shop.json")
    return try Topology.parse(try String(contentsOf: file, encoding: .utf8), file: "shop.json")
}
