/// The names that an object has used so far.
///
/// Objects are small, and the names of most differ in a short hash: then nothing else is compared.
struct JSONNames {
    private static let fewMax = 48
    private var hashes: [UInt64] = []
    private var few: [String] = []
    private var many: Set<String> = []

    /// Returns false where the name was there already.
    mutating func insert(_ name: String) -> Bool {
        if self.few.count >= Self.fewMax {
            if self.many.isEmpty { self.many.formUnion(self.few) }
            return self.many.insert(name).inserted
        }
        let hash = Self.hash(of: name)
        for index in self.hashes.indices where self.hashes[index] == hash {
            if self.few[index] == name { return false }
        }
        self.hashes.append(hash)
        self.few.append(name)
        return true
    }

    private static func hash(of name: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }
}
