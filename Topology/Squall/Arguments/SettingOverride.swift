import Mesh
import RealWorld
import TopologyFile

/// `--set NAME.KEY=VALUE`: a setting of a service or an outside party, for one run.
struct SettingOverride: Hashable {
    let owner: String
    let key: String
    let value: JSONValue

    /// Reads `bank.declines=5%`; a value that is JSON counts as that, any other as a text.
    init?(_ text: String) {
        guard let equals = text.firstIndex(of: "=") else { return nil }
        let path = text[..<equals]
        guard let dot = path.lastIndex(of: "."), dot != path.startIndex,
            path.index(after: dot) != path.endIndex
        else { return nil }
        let value = String(text[text.index(after: equals)...])
        self.owner = String(path[..<dot])
        self.key = String(path[path.index(after: dot)...])
        self.value = (try? JSONValue(parsing: value)) ?? .string(value)
    }

    /// Replaces the setting.
    ///
    /// - Throws: `ControlError` where the topology has no such service or party.
    func apply(to topology: inout Topology) throws(ControlError) {
        if let index = topology.services.firstIndex(where: { $0.name == self.owner }) {
            topology.services[index].settings = self.applied(to: topology.services[index].settings)
            return
        }
        if let index = topology.outside.firstIndex(where: { $0.name == self.owner }) {
            topology.outside[index].settings = self.applied(to: topology.outside[index].settings)
            return
        }
        let names = topology.services.map(\.name) + topology.outside.map(\.name)
        throw ControlError(
            "--set \(self.owner).\(self.key): the topology has no '\(self.owner)'; it has "
                + names.joined(separator: ", "),
            hint: "squall help up",
            isUsage: true
        )
    }

    private func applied(to settings: JSONValue) -> JSONValue {
        var members = settings.object ?? []
        members.removeAll { $0.name == self.key }
        members.append(.init(self.key, self.value))
        return .object(members)
    }
}
