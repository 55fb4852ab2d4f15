import Mesh

extension DocumentReader {
    mutating func load(_ section: Section) -> Topology.Load {
        var load = Topology.Load()
        load.rate = self.whole(section, "rate", in: 0...1_000_000, default: load.rate)
        load.ramp.replace(by: self.duration(section, "ramp"))
        load.products = self.whole(section, "products", in: 1...1_000_000, default: load.products)
        load.warehouses = self.whole(
            section,
            "warehouses",
            in: 1...1000,
            default: load.warehouses
        )
        load.linesMax = self.whole(section, "linesMax", in: 1...100, default: load.linesMax)
        load.customers = self.whole(
            section,
            "customers",
            in: 1...100_000_000,
            default: load.customers
        )
        if let spike = self.section(section, "spike", .spike) {
            load.spike = Topology.Load.Spike(
                times: self.whole(spike, "times", in: 1...10_000, default: 1),
                at: self.duration(spike, "at") ?? .zero,
                lasts: self.duration(spike, "for") ?? .zero
            )
        }
        if let hot = self.section(section, "hotProducts", .hotProducts) {
            let count = self.whole(hot, "count", in: 1...1_000_000, default: 1)
            load.hotProducts = Topology.Load.HotProducts(
                share: self.ratio(hot, "share") ?? .zero,
                count: count
            )
            if count > load.products {
                self.report(
                    hot.path["count"],
                    "\(count) hot products, but there are only \(load.products) in all"
                )
            }
        }
        return load
    }

    mutating func limits(_ section: Section?) -> Topology.Limits {
        var limits = Topology.Limits()
        let mesh = limits.mesh
        limits.mesh.eventBytesMax = self.size(
            section,
            "eventBytesMax",
            in: 1024...(256 << 20),
            default: mesh.eventBytesMax
        )
        limits.mesh.window = self.whole(section, "window", in: 1...65_536, default: mesh.window)
        limits.mesh.attemptsMax = self.whole(
            section,
            "attemptsMax",
            in: 1...1_000_000,
            default: mesh.attemptsMax
        )
        limits.mesh.backoffMin.replace(by: self.duration(section, "backoffMin"))
        limits.mesh.backoffMax.replace(by: self.duration(section, "backoffMax"))
        if let section {
            self.checkOrder(limits.mesh.backoffMin, limits.mesh.backoffMax, section.path)
        }
        limits.mesh.connectionsMax = self.whole(
            section,
            "connectionsMax",
            in: 8...1_000_000,
            default: mesh.connectionsMax
        )
        if section?["backlogMax"] != nil {
            limits.mesh.backlogMax = self.whole(
                section,
                "backlogMax",
                in: 1...1_000_000_000,
                default: 1_000_000
            )
        }
        limits.runsKept = self.whole(section, "runsKept", in: 0...100_000, default: limits.runsKept)
        limits.logBytesMax = self.size(
            section,
            "logBytesMax",
            in: 65_536...(1 << 40),
            default: limits.logBytesMax
        )
        return limits
    }

    mutating func objectives(_ section: Section?) -> Topology.Objectives {
        var objectives = Topology.Objectives()
        objectives.orderP99 = self.duration(section, "orderP99")
        objectives.readyWithin = self.duration(section, "readyWithin")
        objectives.servingAgainWithin = self.duration(section, "servingAgainWithin")
        return objectives
    }

    mutating func checkOrder(_ least: Duration, _ most: Duration, _ path: DocumentPath) {
        guard least > most else { return }
        self.report(
            path,
            "backoffMin (\(least.text)) is longer than backoffMax (\(most.text))"
        )
    }

    /// Reports a name that would not be safe as a file name or clear in a message.
    mutating func checkName(_ name: String, _ what: String, _ path: DocumentPath) {
        guard !Self.isName(name) else { return }
        let lowered = name.lowercased()
        let hint = Self.isName(lowered) ? "did you mean '\(lowered)'?" : nil
        self.report(
            path,
            "'\(DocumentPath.printable(name))' cannot name \(what): a name has the characters a-z, "
                + "0-9, '.' and '-', begins with a letter and has at most 64 of them",
            hint
        )
    }

    private static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 64 else {
            return false
        }
        guard Self.isLetterOrDigit(first), first > UInt8(ascii: "9") else { return false }
        guard Self.isLetterOrDigit(last), !name.contains("..") else { return false }
        return bytes.allSatisfy { byte in
            byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
                || Self.isLetterOrDigit(byte) && byte | 0x20 == byte
        }
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

extension Duration {
    mutating func replace(by found: Duration?) {
        if let found { self = found }
    }
}
