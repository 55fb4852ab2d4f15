extension JSONValue {
    /// Returns the document with a change applied: objects member by member, all else whole.
    ///
    /// A member that is `null` in the change is taken out, as JSON Merge Patch says (RFC 7386).
    public func merging(_ change: JSONValue) -> JSONValue {
        guard case .object(let changes) = change else { return change }
        var members = self.object ?? []
        for member in changes {
            let place = members.firstIndex { $0.name == member.name }
            if member.value == .null {
                if let place { members.remove(at: place) }
            } else if let place {
                members[place].value = members[place].value.merging(member.value)
            } else {
                members.append(.init(member.name, JSONValue.object([]).merging(member.value)))
            }
        }
        return .object(members)
    }
}
