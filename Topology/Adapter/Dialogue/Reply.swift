import Events
import Mesh

/// What a command says of one event that it was handed: a line of JSON.
///
/// `{"ack": ID, "emit": [{"type": …, "subject": …, "data": …}, …]}` handles it and emits events;
/// `{"nack": ID, "error": TEXT}` asks for another attempt later.
struct Reply {
    /// The event's id.
    var event: String
    var outcome: Outcome

    enum Outcome {
        case handled([Emission])
        case failed(String)
    }

    /// An event to emit; the adapter gives it the other attributes.
    struct Emission {
        var type: String
        /// Nil for the subject of the event that was handled, or what the type prescribes.
        var subject: String?
        var data: JSONValue?
    }

    /// Why a line is no reply.
    struct Mistake: Error {
        /// The event that it was about, where that can be told.
        var event: String?
        var message: String
    }

    private static let attributeBytesMax = 1024

    init(parsing line: String) throws(Mistake) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue(parsing: line)
        } catch {
            throw Mistake(message: "the line is no JSON: column \(error.column): \(error.message)")
        }
        guard let members = json.object else {
            throw Mistake(message: "a reply is an object, not \(json.kind)")
        }
        switch (json["ack"], json["nack"]) {
        case (.string(let id)?, nil):
            self.event = id
            try Self.refuse(members, otherThan: ["ack", "emit"], id)
            self.outcome = .handled(try Self.emissions(json["emit"], id))

        case (nil, .string(let id)?):
            self.event = id
            try Self.refuse(members, otherThan: ["nack", "error"], id)
            switch json["error"] {
            case nil: self.outcome = .failed("the command gave no reason")
            case .string(let text)?: self.outcome = .failed(text)
            case let other?: self.outcome = .failed(other.text)
            }

        default:
            throw Mistake(
                message: "a reply has either \"ack\" or \"nack\" with the id of an event"
            )
        }
    }

    private static func refuse(
        _ members: [JSONValue.Member],
        otherThan names: [String],
        _ id: String
    ) throws(Mistake) {
        guard let extra = members.first(where: { !names.contains($0.name) }) else { return }
        throw Mistake(
            event: id,
            message: "'\(extra.name)' is not understood; a reply has \(names[0]) and \(names[1])"
        )
    }

    private static func emissions(
        _ json: JSONValue?,
        _ id: String
    ) throws(Mistake) -> [Emission] {
        guard let json, json != .null else { return [] }
        guard let list = json.array else {
            throw Mistake(event: id, message: "emit: expected a list, found \(json.kind)")
        }
        var emissions: [Emission] = []
        for (index, element) in list.enumerated() {
            let place = "emit[\(index)]"
            guard let members = element.object else {
                throw Mistake(event: id, message: "\(place): expected an object")
            }
            for member in members where !["type", "subject", "data"].contains(member.name) {
                throw Mistake(
                    event: id,
                    message: "\(place): '\(member.name)' is not the command's to give; "
                        + "an event has type, subject and data"
                )
            }
            guard let type = try Self.attribute("type", of: element, place, id) else {
                throw Mistake(event: id, message: "\(place): the type is missing")
            }
            emissions.append(
                Emission(
                    type: type,
                    subject: try Self.attribute("subject", of: element, place, id),
                    data: element["data"]
                )
            )
        }
        return emissions
    }

    private static func attribute(
        _ name: String,
        of element: JSONValue,
        _ place: String,
        _ id: String
    ) throws(Mistake) -> String? {
        guard let value = element[name] else { return nil }
        guard let text = value.string, !text.isEmpty, text.utf8.count <= self.attributeBytesMax,
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else {
            throw Mistake(
                event: id,
                message: "\(place): the \(name) is a text of 1 to \(self.attributeBytesMax) bytes "
                    + "without control characters"
            )
        }
        return text
    }
}
