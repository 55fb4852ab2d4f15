import Glibc
import Mesh
import Testing

/// Real processes, so one after the other: two cores are soon busy.
@Suite(.serialized) struct `Instances under load` {
    private let folder: TestFolder

    init() throws { self.folder = try TestFolder() }

    private func started(_ options: String) throws -> SquallProcess {
        let words = "up --quiet --json \(options)".split(separator: " ").map(String.init)
        let process = try SquallProcess(words, in: self.folder)
        do {
            try Deadline.wait(seconds: 20, for: "the first orders") {
                guard let status = try? self.folder.json("ps") else { return false }
                return (status["orders"]?["confirmed"]?.int ?? 0) > 20
            }
        } catch {
            process.destroy()
            throw SquallProcess.Failure("\(error): \(process.standardError)")
        }
        return process
    }

    /// Which partitions each instance of a service owns.
    private func owned(_ service: String) throws -> [String: [Int64]] {
        var owned: [String: [Int64]] = [:]
        for process in try self.folder.json("ps")["processes"]?.array ?? []
        where process["service"]?.string == service {
            let partitions = (process["partitions"]?.array ?? []).compactMap(\.int)
            owned[process["name"]?.string ?? ""] = partitions
        }
        return owned
    }

    /// Ends the run; every order that was placed must be confirmed.
    private func expectAllConfirmed(_ process: SquallProcess) throws {
        process.signal(SIGINT)
        let code = try process.wait()
        #expect(code == 0, "\(process.standardOutput)\(process.standardError)")
        let verdict = try JSONValue(parsing: process.standardOutput)
        #expect(verdict["verdict"]?.string == "passed", "\(process.standardOutput)")
        let counts = try #require(verdict["counts"])
        #expect(counts["ordersConfirmed"]?.int == counts["ordersAccepted"]?.int)
        #expect(counts["ordersRefused"]?.int == 0)
        let checked = try self.folder.json("check")
        #expect(checked["verdict"]?.string == "passed")
    }

    @Test func `a service is scaled up and down, and no order notices`() throws {
        let process = try self.started("--rate 200")
        defer { process.destroy() }
        let before = process.children.count
        for (count, shares) in [(3, [1, 1, 2]), (4, [1, 1, 1, 1]), (2, [2, 2]), (1, [4])] {
            let answer = try self.folder.json("scale inventory \(count)")
            #expect(answer["instances"]?.array?.count == count)
            let owned = try self.owned("inventory")
            #expect(owned.values.map(\.count).sorted() == shares, "\(owned)")
            #expect(owned.values.flatMap(\.self).sorted() == [0, 1, 2, 3])
        }
        #expect(process.children.count == before)
        let tooMany = try self.folder.squall("scale inventory 5")
        #expect(tooMany.code == 2)
        #expect(tooMany.errors.contains("inventory has 4 partitions"), "\(tooMany.errors)")
        let none = try self.folder.squall("scale inventory 0")
        #expect(none.code == 2)
        #expect(none.errors.contains("at least one instance"))
        #expect(none.errors.contains("try: squall pause inventory"))
        #expect(try self.folder.squall("scale nobody 2").code == 2)
        try self.expectAllConfirmed(process)
    }

    @Test func `every service is restarted and rolled, and no order fails`() throws {
        let process = try self.started("--rate 200")
        defer { process.destroy() }
        for service in ["orders", "inventory", "payments", "notifications", "analytics"] {
            #expect(try self.folder.squall("restart \(service)").code == 0, "\(service)")
            _ = try self.folder.json("scale \(service) 2")
            let rolled = try self.folder.squall("roll \(service)")
            #expect(rolled.code == 0, "\(rolled.errors)")
            #expect(rolled.output.contains("\(service) restarted one by one within"))
            try Deadline.wait(seconds: 20, for: "both instances of \(service) to own a half") {
                try self.owned(service).values.map(\.count) == [2, 2]
            }
        }
        for name in ["hub", "bank", "payments-2"] {
            #expect(try self.folder.squall("restart \(name)").code == 0, "\(name)")
        }
        try self.expectAllConfirmed(process)
    }

    @Test func `a paused instance is fenced off while its service is scaled, and wakes harmless`()
        throws
    {
        let process = try self.started("--rate 200")
        defer { process.destroy() }
        _ = try self.folder.json("scale inventory 2")
        #expect(try self.folder.squall("pause inventory-2 5s").code == 0)
        _ = try self.folder.json("scale inventory 3")
        let shares = try self.owned("inventory")
        #expect(shares.values.flatMap(\.self).sorted() == [0, 1, 2, 3])
        try Deadline.wait(seconds: 20, for: "the pause to be over") {
            try self.folder.json("ps")["faults"]?.array == []
        }
        _ = try self.folder.json("scale inventory 1")
        #expect(try self.owned("inventory") == ["inventory": [0, 1, 2, 3]])
        try self.expectAllConfirmed(process)
    }

    @Test func `instances that die, and a hub that dies, while they come and go`() throws {
        let process = try self.started("--rate 200")
        defer { process.destroy() }
        for (count, victim) in [(3, "hub"), (1, "inventory"), (4, "inventory"), (2, "hub")] {
            let scale = try SquallProcess(
                ["scale", "inventory", "\(count)"],
                in: self.folder
            )
            defer { scale.destroy() }
            usleep(useconds_t(5_000 * count))
            _ = try self.folder.squall("kill \(victim)")
            #expect(try scale.wait() == 0, "\(scale.standardError)")
            #expect(try self.owned("inventory").count == count)
        }
        try self.expectAllConfirmed(process)
    }
}
