import Foundation
import Mesh
package import TopologyFile

/// The shop's own topology file, as users get it, with a bank that declines one charge in twenty.
package func shopTopology() throws -> Topology {
    let file = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Topology/shop.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    var topology = try Topology.parse(text, file: "shop.json")
    for index in topology.outside.indices where topology.outside[index].kind == .bank {
        topology.outside[index].settings = ["declines": "5%"]
    }
    return topology
}
