import Mesh
import Testing

@Test func `a subject always lands in the same partition`() {
    #expect(StableHash.partition(of: "order-17", among: 4) == StableHash.partition(of: "order-17", among: 4))
}
