/// A typed event: what a service author declares, emits and handles.
///
/// The type's fields are the event's data; ``subject`` orders it, ``topic`` says where it goes.
public protocol Event: WireCodable {
    /// The CloudEvents type with its version, such as `orders.placed.v1`.
    static var type: String { get }
    /// The topic that carries it; the topology file must declare it.
    static var topic: String { get }
    /// The ordering key; must not be empty.
    var subject: String { get }
}
