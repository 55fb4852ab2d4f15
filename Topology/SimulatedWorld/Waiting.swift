/// What waits in its order; to take the first of it moves nothing.
struct Waiting<Element> {
    private var elements: [Element] = []
    /// Where in ``elements`` those begin that were not taken yet.
    private var start = 0

    var isEmpty: Bool { self.elements.isEmpty }

    mutating func append(_ element: consuming Element) { self.elements.append(element) }

    mutating func takeFirst() -> Element {
        // Mostly it is the only one.
        if self.elements.count == 1 { return self.elements.removeLast() }
        let element = self.elements[self.start]
        self.start += 1
        if self.start == self.elements.count {
            self.elements.removeAll(keepingCapacity: true)
            self.start = 0
        }
        return element
    }
}
