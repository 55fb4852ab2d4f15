import Mesh
import Testing
import TopologyFile

@Suite struct `Graph of a topology` {
    private let topology: Topology

    init() throws {
        self.topology = try Topology.parse(sample, file: "small.json")
    }

    @Test func `as text`() {
        let expected = """
            small: 2 services, 2 topics, 3 links, 2 outside parties

            shoppers (outside)
              → counter   orders.placed
                          ! delay 20ms + up to 5ms every 3rd of orders.placed.v1
                          ! drop 1% about order-7
                          ! cut

            counter (× 2)
              → printer   counts
              → bank      calls

            printer

            bank (outside)

            """
        #expect(self.topology.graph(.text) == expected)
    }

    @Test func `as Mermaid`() {
        let faults = [
            "orders.placed", "! delay 20ms + up to 5ms every 3rd of orders.placed.v1",
            "! drop 1% about order-7", "! cut",
        ]
        let expected = """
            flowchart LR
                n0(["shoppers<br/>outside"])
                n1["counter<br/>× 2"]
                n2["printer"]
                n3(["bank<br/>outside"])
                n0 -->|"\(faults.joined(separator: "<br/>"))"| n1
                n1 -->|"counts"| n2
                n1 -.->|"calls"| n3

            """
        #expect(self.topology.graph(.mermaid) == expected)
    }

    @Test func `as DOT`() {
        let faults = [
            "orders.placed", "! delay 20ms + up to 5ms every 3rd of orders.placed.v1",
            "! drop 1% about order-7", "! cut",
        ]
        let expected = """
            digraph "small" {
                rankdir=LR;
                "shoppers" [shape=ellipse, label="shoppers\\noutside"];
                "counter" [shape=box, label="counter\\n× 2"];
                "printer" [shape=box, label="printer"];
                "bank" [shape=ellipse, label="bank\\noutside"];
                "shoppers" -> "counter" [label="\(faults.joined(separator: "\\n"))"];
                "counter" -> "printer" [label="counts"];
                "counter" -> "bank" [label="calls", style=dashed];
            }

            """
        #expect(self.topology.graph(.dot) == expected)
    }

    @Test func `with a subject that holds quotes`() throws {
        let text = sample.replacing("subject: \"order-7\"", with: #"subject: 'a"b\\c<d>'"#)
        let topology = try Topology.parse(text, file: "small.json")
        #expect(topology.graph(.dot).contains(#"about a\"b\\c<d>"#))
        #expect(topology.graph(.mermaid).contains(#"about a#34;b\c#60;d#62;"#))
    }
}
