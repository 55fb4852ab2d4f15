import Mesh
import Testing

@Test func `a subject always lands in the same partition`() {
    let partition = StableHash.partition(of: "order-17", among: 4)
    #expect(partition == StableHash.partition(of: "order-17", among: 4))
}
