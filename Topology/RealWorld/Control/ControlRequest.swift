import Mesh

/// What a command asks of a running topology over its control socket.
package enum ControlRequest: Sendable, Hashable {
    /// Ends a process with SIGKILL.
    case kill(String)
    /// Stops a process; it goes on after the duration, or when resumed.
    case pause(String, for: Duration?)
    /// Lets a paused process go on.
    case resume(String)
    /// Delays each event of a service or each answer of an outside party.
    case slow(String, by: Duration, for: Duration?)
    /// Cuts the link between two services.
    case cut(from: String, to: String, for: Duration?)
    /// Makes something go wrong on a hop of a link.
    case link(from: String, to: String, LinkFault, for: Duration?)
    /// Ends a process again and again.
    case crashLoop(String, for: Duration?)
    /// Lets a process have so many percent of the time only.
    case slowProcessor(String, percent: Int, for: Duration?)
    /// Makes an outside party misbehave.
    case party(String, PartyFaultKind, for: Duration?)
    /// Ends the fault of that number, or all.
    case heal(Int?)
    /// Multiplies the load.
    case load(times: Int, for: Duration?)
    /// Sets the load to so many orders a second.
    case rate(Int, for: Duration?)
    /// Lets a service have so many instances.
    case scale(String, to: Int)
    /// Lets a process, or all instances of a service at once, end in order and start again.
    case restart(String)
    /// Restarts the instances of a service one after the other.
    case roll(String)
    /// Asks how everything is.
    case status
    /// Hands a request on to the hub as it is.
    case hub(JSONValue)

    /// How an outside party misbehaves, slowness aside.
    package enum PartyFaultKind: String, Sendable, CaseIterable {
        /// It refuses every request.
        case down
        /// It does what it is asked and withholds the answer.
        case timeoutAfter = "timeout-after"
        /// It answers every request twice.
        case answersTwice = "answers-twice"
    }
}

extension ControlRequest {
    /// The request as it travels.
    package var json: JSONValue {
        switch self {
        case .kill(let name):
            ["do": "kill", "name": .string(name)]
        case .pause(let name, let duration):
            Self.lasting(["do": "pause", "name": .string(name)], duration)
        case .resume(let name):
            ["do": "resume", "name": .string(name)]
        case .slow(let name, let delay, let duration):
            Self.lasting(
                ["do": "slow", "name": .string(name), "by": .int(delay.inNanoseconds)],
                duration
            )
        case .cut(let from, let to, let duration):
            Self.lasting(["do": "cut", "from": .string(from), "to": .string(to)], duration)
        case .party(let name, let kind, let duration):
            Self.lasting(
                ["do": "party", "name": .string(name), "kind": .string(kind.rawValue)],
                duration
            )
        case .link(let from, let to, let fault, let duration):
            Self.lasting(
                ["do": "link", "from": .string(from), "to": .string(to), "fault": fault.json],
                duration
            )
        case .crashLoop(let name, let duration):
            Self.lasting(["do": "crash-loop", "name": .string(name)], duration)
        case .slowProcessor(let name, let percent, let duration):
            Self.lasting(
                ["do": "slow", "name": .string(name), "percent": .int(Int64(percent))],
                duration
            )
        case .heal(let number):
            number.map { ["do": "heal", "number": .int(Int64($0))] } ?? ["do": "heal"]
        case .load(let times, let duration):
            Self.lasting(["do": "load", "times": .int(Int64(times))], duration)
        case .rate(let rate, let duration):
            Self.lasting(["do": "rate", "rate": .int(Int64(rate))], duration)
        case .scale(let name, let count):
            ["do": "scale", "name": .string(name), "instances": .int(Int64(count))]
        case .restart(let name): ["do": "restart", "name": .string(name)]
        case .roll(let name): ["do": "roll", "name": .string(name)]
        case .status: ["do": "status"]
        case .hub(let request): ["do": "hub", "request": request]
        }
    }

    /// Reads a request as it travels.
    ///
    /// - Throws: `ControlError` where it is none.
    package init(json: JSONValue) throws(ControlError) {
        let duration = json["for"]?.int.map { Duration.nanoseconds($0) }
        switch json["do"]?.string {
        case "kill": self = .kill(try Self.text(json, "name"))
        case "pause": self = .pause(try Self.text(json, "name"), for: duration)
        case "resume": self = .resume(try Self.text(json, "name"))
        case "slow" where json["percent"] != nil:
            let percent = Int(clamping: try Self.number(json, "percent"))
            guard (1...99).contains(percent) else {
                throw ControlError("'percent' is a whole number from 1 to 99")
            }
            self = .slowProcessor(try Self.text(json, "name"), percent: percent, for: duration)
        case "slow":
            let delay = Duration.nanoseconds(try Self.number(json, "by"))
            self = .slow(try Self.text(json, "name"), by: delay, for: duration)
        case "cut":
            self = .cut(
                from: try Self.text(json, "from"),
                to: try Self.text(json, "to"),
                for: duration
            )
        case "link":
            self = .link(
                from: try Self.text(json, "from"),
                to: try Self.text(json, "to"),
                try Self.linkFault(json["fault"]),
                for: duration
            )
        case "crash-loop": self = .crashLoop(try Self.text(json, "name"), for: duration)
        case "party":
            let text = try Self.text(json, "kind")
            guard let kind = PartyFaultKind(rawValue: text) else {
                throw ControlError("unknown kind of fault '\(text)'")
            }
            self = .party(try Self.text(json, "name"), kind, for: duration)
        case "heal": self = .heal(json["number"]?.int.map { Int(clamping: $0) })
        case "load":
            self = .load(times: Int(clamping: try Self.number(json, "times")), for: duration)
        case "rate":
            self = .rate(Int(clamping: try Self.number(json, "rate")), for: duration)
        case "scale":
            self = .scale(
                try Self.text(json, "name"),
                to: Int(clamping: try Self.number(json, "instances"))
            )
        case "restart": self = .restart(try Self.text(json, "name"))
        case "roll": self = .roll(try Self.text(json, "name"))
        case "status": self = .status
        case "hub":
            guard let request = json["request"] else { throw ControlError("no 'request'") }
            self = .hub(request)
        case let name?:
            throw ControlError("unknown request '\(name)'; is this squall newer than the run?")
        case nil:
            throw ControlError("a request is an object with a 'do', such as {\"do\":\"status\"}")
        }
    }

    /// How long an answer may take.
    var patience: Duration {
        switch self {
        // They answer when everything is done, one instance after the other where need be.
        case .scale, .restart, .roll: .seconds(300)
        default: ControlClient.patience
        }
    }

    private static func lasting(_ json: JSONValue, _ duration: Duration?) -> JSONValue {
        guard let duration, var members = json.object else { return json }
        members.append(JSONValue.Member("for", .int(duration.inNanoseconds)))
        return .object(members)
    }

    private static func text(_ json: JSONValue, _ name: String) throws(ControlError) -> String {
        guard let text = json[name]?.string else { throw ControlError("no text '\(name)'") }
        return text
    }

    private static func linkFault(_ json: JSONValue?) throws(ControlError) -> LinkFault {
        do {
            return try LinkFault(json: json ?? .null)
        } catch {
            throw ControlError(error.description, hint: "squall help link", isUsage: true)
        }
    }

    private static func number(_ json: JSONValue, _ name: String) throws(ControlError) -> Int64 {
        guard let number = json[name]?.int, number >= 0 else {
            throw ControlError("no whole number '\(name)'")
        }
        return number
    }
}

/// Why a running topology did not do what it was asked.
package struct ControlError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String
    /// A command that helps.
    package var hint: String?
    /// Whether the user asked for something that does not exist, as against trouble in doing it.
    package var isUsage: Bool

    package init(_ message: String, hint: String? = nil, isUsage: Bool = false) {
        self.message = message
        self.hint = hint
        self.isUsage = isUsage
    }

    package var description: String { self.message }
}
