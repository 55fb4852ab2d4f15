import Events
import Mesh
import TopologyFile

/// A service to be written: its names, and the events it handles.
struct NewService {
    /// An event type of the shop.
    struct Handled {
        /// Its name in Swift.
        let swiftName: String
        let type: String
        let topic: String

        fileprivate init<E: Event>(_ event: E.Type) {
            self.swiftName = "\(event)"
            self.type = event.type
            self.topic = event.topic
        }
    }

    /// Why no service can be made of the words.
    struct Mistake: Error {
        let message: String
    }

    /// The actor's name, such as `GiftCards`.
    let capability: String
    /// The name in the topology file, such as `gift-cards`.
    let name: String
    let events: [Handled]

    /// The topics of the events, each once.
    var topics: [String] {
        self.events.map(\.topic).enumerated().filter { index, topic in
            self.events.firstIndex { $0.topic == topic } == index
        }.map(\.element)
    }

    /// The name of a variable that holds the service.
    var variable: String {
        let first = self.capability.prefix { $0.isUppercase }.count
        let count = first > 1 && first < self.capability.count ? first - 1 : first
        return self.capability.prefix(count).lowercased() + self.capability.dropFirst(count)
    }

    /// Understands `gift-cards`, `giftCards` or `GiftCards`, and events by their types or by their
    /// names in Swift.
    init(named word: String, on events: [String]) throws(Mistake) {
        let parts = Self.parts(of: word)
        guard let first = parts.first?.first, first.isLetter, word.utf8.count <= 40,
            word.utf8.allSatisfy({ Self.isLetterOrDigit($0) || $0 == 0x2D })
        else {
            throw Mistake(
                message: "'\(word)' is no name for a service: write letters, digits and hyphens, "
                    + "such as gift-cards"
            )
        }
        self.capability = parts.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        self.name = parts.joined(separator: "-")
        guard !Self.taken.contains(self.capability) else {
            throw Mistake(message: "'\(self.capability)' means something else already")
        }
        var handled: [Handled] = []
        for event in events {
            let found = try Self.event(event)
            guard !handled.contains(where: { $0.type == found.type }) else {
                throw Mistake(message: "the event '\(event)' is named twice")
            }
            handled.append(found)
        }
        guard !handled.isEmpty else { throw Mistake(message: "--on names no event") }
        self.events = handled
    }

    /// The words of a name in lower case: `giftCards` and `gift-cards` are `gift`, `cards`.
    private static func parts(of word: String) -> [String] {
        var parts: [String] = []
        var current = ""
        for character in word {
            if character == "-" || (character.isUppercase && current.last?.isLowercase == true) {
                if !current.isEmpty { parts.append(current.lowercased()) }
                current = ""
            }
            if character != "-" { current.append(character) }
        }
        if !current.isEmpty { parts.append(current.lowercased()) }
        return parts
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func event(_ word: String) throws(Mistake) -> Handled {
        let all = EventCatalogue.all.map { Self.handled($0) }
        let found = all.first { event in
            event.type == word || event.swiftName == word || event.type.hasPrefix("\(word).v")
        }
        guard let found else {
            let names = all.map(\.type) + all.map(\.swiftName)
            throw Mistake(
                message: "there is no event '\(word)'"
                    + (Suggestion.closest(to: word, among: names).map { "; did you mean '\($0)'?" }
                        ?? "; there are "
                        + all.filter { !$0.topic.isEmpty }.map(\.type)
                        .joined(separator: ", "))
            )
        }
        guard !found.topic.isEmpty else {
            throw Mistake(message: "'\(word)' is a timer of another service, on no topic")
        }
        return found
    }

    private static func handled<E: Event>(_ event: E.Type) -> Handled { Handled(event) }

    /// What a service cannot be called, because its file could not tell the two apart.
    private static let taken: Set<String> = [
        "Service", "Host", "Turn", "Event", "Events", "Mesh", "Settings", "Subscription", "Bank",
        "MailRelay", "Projection", "Instant", "Duration", "String", "Int", "Money", "Adapter",
        "Hub", "Outside", "Squall", "Chaos", "Stage", "Ratio",
    ]
}
