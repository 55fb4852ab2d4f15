import Glibc
import Mesh
import Testing

/// Faults armed by commands and by the topology file, under load.
extension `squall up` {
    @Test func `holds everything while links are bad on every hop and processes limp`() throws {
        let process = try self.started("--rate 80")
        defer { process.destroy() }
        let lines = [
            "link orders payments delay --by 20ms --jitter 10ms",
            "link shoppers orders drop --chance 5% --hop publish",
            "link shoppers orders drop --chance 5% --hop publish-answer",
            "link orders inventory corrupt --every 10",
            "link orders inventory corrupt --chance 5% --hop commit",
            "link orders payments drop --chance 5% --hop commit",
            "link inventory orders drop --chance 5% --hop commit-answer",
            "link payments orders reorder --chance 50%",
            "link payments orders duplicate --hop commit",
            "link orders analytics throttle --rate 30",
            "slow inventory --cpu 50%",
            "slow hub 20ms",
            "crash-loop notifications for 1s",
        ]
        for line in lines { #expect(try self.folder.squall(line).code == 0, "\(line)") }
        // Faults outlive the hub.
        #expect(try self.folder.squall("kill hub").code == 0)
        try Deadline.wait(seconds: 30, for: "every fault to bite") {
            let faults = try self.folder.json("ps")["faults"]?.array ?? []
            let isCrashing = faults.contains {
                $0["fault"]?.string?.contains("crash loop") == true
            }
            return !isCrashing && faults.count == lines.count - 1
                && faults.allSatisfy { ($0["bitten"]?.int ?? 0) > 0 }
        }
        #expect((try self.process("notifications")["restarts"]?.int ?? 0) >= 3)
        #expect(try self.folder.squall("heal 99").code != 0)
        #expect(try self.folder.json("heal 1")["healed"]?.array?.count == 1)
        #expect(try self.folder.json("heal")["healed"]?.array?.count == lines.count - 2)
        #expect(try self.folder.json("ps")["faults"]?.array == [])
        process.signal(SIGINT)
        try self.expectPassed(process)
    }

    @Test func `arms the faults of the topology file, shows them and never heals them`() throws {
        let shop = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let text = TestFolder.read("/\(shop)/Topology/shop.json")
        let link = #"{ from: "orders", to: "inventory" },"#
        #expect(text.contains(link))
        let bad = #"{ from: "orders", to: "inventory", faults: [{ kind: "drop", chance: "5%" }] },"#
        let parts = text.split(separator: link, maxSplits: 1).map(String.init)
        try self.folder.write(parts.joined(separator: bad), to: "bad.json")
        let process = try self.started("bad.json --rate 100")
        defer { process.destroy() }
        try Deadline.wait(seconds: 20, for: "the standing fault to bite") {
            let fault = try self.folder.json("ps")["faults"]?.array?.first
            return fault?["fault"]?.string == "orders→inventory drop 5%"
                && (fault?["bitten"]?.int ?? 0) > 0
        }
        #expect(try self.folder.json("heal")["healed"]?.array == [])
        #expect(try self.folder.json("ps")["faults"]?.array?.count == 1)
        process.signal(SIGINT)
        try self.expectPassed(process)
    }
}
