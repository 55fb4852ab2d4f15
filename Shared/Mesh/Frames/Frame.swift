/// The frames between the hub and its clients: `[UInt32 length of the body][body]`, little-endian,
/// where the body's first byte is the kind.
package enum Frame {
    /// The version of this protocol; the two ends must agree.
    package static let version: UInt8 = 5
    /// The largest body that the hub accepts and that it sends.
    package static let bodyBytesMax = 64 * 1024 * 1024
    /// A frame of several events that has grown to this size takes no more of them.
    static let batchBytes = 64 * 1024

    /// What a client tells the hub.
    package enum ToHub: UInt8 {
        case hello = 1
        case publish, commit, nack, credit, more, released, admin, unanswered, sealed
        /// Events of topics that are never synced: nobody confirms them.
        case volatile
        /// An observer knows up to where the log is durable, and waits for more.
        case follow
    }

    /// What the hub tells a client.
    package enum FromHub: UInt8 {
        case welcome = 32
        case refused, assign, revoke, journal, deliver, committed, commitRefused
        case published, publishRefused, durable, answer, notice, drain, handicap, settled
        case publishGap, seal, sealed
    }
}

/// What a client is to the hub.
package enum ClientRole: UInt8, Sendable, Hashable {
    /// An instance of a service.
    case service = 1
    /// An outside party that publishes.
    case publisher
    /// Follows the log: is told how far it is durable.
    case observer
    /// Asks and commands.
    case admin
}

/// Why the hub said no.
package struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: UInt8, Sendable {
        /// The frame cannot be read.
        case malformed = 1
        /// The token, the user or the name is not what the topology says.
        case notAllowed
        /// The other end speaks another version.
        case otherVersion
        /// The commit is of an owner that is one no longer.
        case staleEpoch
        /// The commit does not follow the one before it.
        case sequenceGap
        /// The event was acknowledged before.
        case alreadyAcknowledged
        /// The topology does not let this client emit to that topic.
        case undeclared
        /// The event exceeds the limit.
        case tooLarge
        /// There is no room for more.
        case full

        /// Whether the same commit would be refused again, whoever sends it.
        package var isAboutContent: Bool {
            switch self {
            case .malformed, .undeclared, .tooLarge: true
            case .notAllowed, .otherVersion, .staleEpoch, .sequenceGap, .alreadyAcknowledged: false
            case .full: false
            }
        }
    }

    package var code: Code
    /// What happened, where, and what to do next.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(self.code): \(self.message)" }
}

extension WireWriter {
    /// What most frames fit in.
    static let frameBytesUsual = 512

    /// Begins a frame; returns where, for ``endFrame(_:)``.
    package mutating func beginFrame(_ kind: UInt8) -> Int {
        let start = self.bytes.count
        // Growing step by step costs more than the frame.
        if start == 0 { self.bytes.reserveCapacity(Self.frameBytesUsual) }
        self.u32(0)
        self.u8(kind)
        return start
    }

    /// Fills in the length of the frame that began at `start`.
    package mutating func endFrame(_ start: Int) {
        let length = UInt32(self.bytes.count - start - 4)
        self.bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: length.littleEndian, toByteOffset: start, as: UInt32.self)
        }
    }

    package mutating func frame(_ kind: Frame.ToHub, _ write: (inout WireWriter) -> Void) {
        let start = self.beginFrame(kind.rawValue)
        write(&self)
        self.endFrame(start)
    }

    package mutating func frame(_ kind: Frame.FromHub, _ write: (inout WireWriter) -> Void) {
        let start = self.beginFrame(kind.rawValue)
        write(&self)
        self.endFrame(start)
    }
}

/// The first frame of every connection.
package struct Hello: Sendable, Hashable {
    package var role: ClientRole
    /// The service's, publisher's or tool's name.
    package var name: String
    /// Tells instances of one service apart; `payments-1`.
    package var instance: String
    /// The secret that the launcher gave to this process and to the hub.
    package var token: String
    /// The topics that the service has handlers for; must be those of the topology.
    package var consumes: [String]
    /// Whether the service is a projection: its state and its place are one.
    package var isProjection: Bool

    package init(
        role: ClientRole,
        name: String,
        instance: String,
        token: String,
        consumes: [String] = [],
        isProjection: Bool = false
    ) {
        self.isProjection = isProjection
        self.role = role
        self.name = name
        self.instance = instance
        self.token = token
        self.consumes = consumes
    }

    package func encode(into writer: inout WireWriter) {
        writer.frame(.hello) {
            $0.u8(Frame.version)
            $0.u8(self.role.rawValue)
            $0.text(self.name)
            $0.text(self.instance)
            $0.text(self.token)
            $0.varint(UInt64(self.consumes.count))
            for topic in self.consumes { $0.text(topic) }
            $0.u8(self.isProjection ? 1 : 0)
        }
    }

    package init(from reader: inout WireReader) throws(Refusal) {
        do throws(WireError) {
            let version = try reader.u8()
            guard version == Frame.version else {
                throw WireError("version \(version), this hub speaks \(Frame.version)")
            }
            guard let role = ClientRole(rawValue: try reader.u8()) else {
                throw WireError("an unknown role")
            }
            self.init(
                role: role,
                name: try reader.text(),
                instance: try reader.text(),
                token: try reader.text()
            )
            for _ in 0..<(try reader.count()) { self.consumes.append(try reader.text()) }
            self.isProjection = try reader.u8() == 1
        } catch {
            throw Refusal(.malformed, "the hello cannot be read: \(error.message)")
        }
    }
}

/// What the hub tells a client whom it accepts.
package struct Welcome: Sendable, Hashable {
    /// All topics by number, with their partitions, the hub's own included.
    package var topics: [MeshLayout.Topic]
    /// The service's partitions; 0 for others.
    package var partitions: Int
    /// The service's settings as JSON text.
    package var settings: String
    /// How many unacknowledged deliveries a partition may hold.
    package var window: Int
    /// For a publisher: the last sequence number that is durable.
    package var publishedUpTo: UInt64
    /// For a publisher: the numbers up to there that were refused and never stored.
    package var refused: [ClosedRange<UInt64>]
    /// How far the log is durable.
    package var position: UInt64

    package func encode(into writer: inout WireWriter) {
        writer.frame(.welcome) {
            $0.varint(UInt64(self.topics.count))
            for topic in self.topics {
                $0.text(topic.name)
                $0.varint(UInt64(topic.partitions))
                $0.u8(topic.sync == .never ? 1 : 0)
            }
            $0.varint(UInt64(self.partitions))
            $0.text(self.settings)
            $0.varint(UInt64(self.window))
            $0.varint(self.publishedUpTo)
            $0.ranges(self.refused)
            $0.varint(self.position)
        }
    }

    package init(
        topics: [MeshLayout.Topic],
        partitions: Int,
        settings: String,
        window: Int,
        publishedUpTo: UInt64,
        refused: [ClosedRange<UInt64>] = [],
        position: UInt64
    ) {
        self.topics = topics
        self.partitions = partitions
        self.settings = settings
        self.window = window
        self.publishedUpTo = publishedUpTo
        self.refused = refused
        self.position = position
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.topics = []
        for _ in 0..<(try reader.count()) {
            let name = try reader.text()
            let partitions = try reader.count()
            let sync: MeshLayout.SyncPolicy = try reader.u8() == 1 ? .never : .always
            self.topics.append(MeshLayout.Topic(name: name, partitions: partitions, sync: sync))
        }
        self.partitions = try reader.count()
        self.settings = try reader.text()
        self.window = try reader.count()
        self.publishedUpTo = try reader.varint()
        self.refused = try reader.ranges()
        self.position = try reader.varint()
    }
}
