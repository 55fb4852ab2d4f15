import Mesh

/// Something in a run that is no event: a fault, a complaint, what somebody did on purpose.
package struct Incident: Sendable, Hashable {
    package var time: Instant
    package var text: String
    /// The place of the fault in its scenario; nil where it is none.
    package var fault: Int?

    package init(time: Instant, text: String, fault: Int? = nil) {
        self.time = time
        self.text = text
        self.fault = fault
    }
}
