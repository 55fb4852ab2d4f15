import Mesh

/// What a scenario hears of the topology that it runs on.
protocol TopologyListener: AnyObject {
    /// Everything is ready, and the load begins.
    func serves()
    /// Nothing more is in the log at the moment, or the load is over.
    func logWasRead()
    /// The log cannot be read any further.
    func logIsUnreadable()
    /// The hub takes commands, for the first time or again.
    func hubIsUp()
    func hubIsGone()
    /// An outside party takes commands, for the first time or again.
    func partyIsUp(_ name: String)
    /// A process has ended.
    func ended(_ process: String, wasPlanned: Bool)
}
