import Mesh
import MeshSocket
import RealWorld

/// Watches a measured hub, as squall does: as an admin that puts a fault on each link, or as an
/// observer that reads the log as it grows.
final class BenchWatcher {
    private var client: AdminClient
    private let connection: FrameConnection
    private let disk: FolderDisk
    private var follower = LogFollower()
    private let loop: EventLoop
    /// Whether the log is to be read soon.
    private var isReading = false
    private let arms: Bool
    private let onReady: () -> Void

    init(
        arms: Bool,
        token: String,
        loop: EventLoop,
        onReady: @escaping () -> Void
    ) throws {
        self.arms = arms
        self.loop = loop
        self.onReady = onReady
        self.disk = try FolderDisk(folder: "log")
        self.client = AdminClient(
            hello: Hello(
                role: arms ? .admin : .observer,
                name: "squall",
                instance: "admin",
                token: token
            )
        )
        self.connection = try BenchClient.connect(loop)
        self.connection.onFrame = { [unowned self] in self.received($0) }
        self.client.connected()
        self.flush()
    }

    private func flush() { self.connection.send(self.client.takeOutput()) }

    private func received(_ frame: UnsafeRawBufferPointer) {
        do {
            for action in try self.client.received(frame) { try self.carryOut(action) }
        } catch {
            BenchClient.fail("\(error)")
        }
    }

    private func carryOut(_ action: AdminClient.Action) throws {
        switch action {
        case .welcomed where self.arms:
            _ = self.client.ask(["do": "status"])
            self.flush()
        case .welcomed: self.onReady()
        case .answered(_, let answer) where answer["armed"] != nil:
            let armed = (answer["armed"]?.array ?? []).filter { $0["error"] == nil }
            guard !armed.isEmpty else { BenchClient.fail("no link was armed: \(answer.text)") }
            self.onReady()
        case .answered(_, let status):
            _ = self.client.ask(["do": "arm", "faults": .array(Self.faults(status))])
            self.flush()
        case .durable: self.readSoon()
        case .shutOut(let refusal): BenchClient.fail("\(refusal)")
        case .noticed: break
        }
    }

    private func readSoon() {
        guard !self.isReading else { return }
        self.isReading = true
        self.loop.timer(at: self.loop.now() + RunningTopology.readInterval) { [unowned self] in
            self.isReading = false
            do throws(LogError) {
                while try !self.follower.next(from: self.disk).isEmpty {}
            } catch {
                BenchClient.fail("\(error)")
            }
            self.client.follow()
            self.flush()
        }
    }

    /// A fault for each link that the bench may have, about a type that nobody publishes; the hub
    /// refuses those for links that are not there.
    private static func faults(_ status: JSONValue) -> [JSONValue] {
        let services = (status["services"]?.array ?? []).compactMap { $0["name"]?.string }
        return services.flatMap { service in
            ["producer", "responder"].map { source in
                [
                    "from": .string(source),
                    "to": .string(service),
                    "fault": ["kind": "drop", "type": "bench.other.v1"],
                ]
            }
        }
    }
}
