extension CommandCatalog {
    /// The commands that break, slow down and heal what runs.
    static let disturbing: [CommandSpecification] = [
        CommandSpecification(
            name: "kill",
            operands: "PROCESS",
            operandCount: 1...1,
            summary: "end a process with SIGKILL; it is started again",
            details: [
                "PROCESS is a service, an outside party or the hub; payments-2 is one instance."
            ],
            options: [.run],
            examples: [
                Example("squall kill payments", "nothing is lost: watch the restarts and the lag"),
                Example("squall kill hub", "all reconnect and go on"),
            ],
            group: .disturb
        ),
        CommandSpecification(
            name: "pause",
            operands: "PROCESS [DURATION]",
            operandCount: 1...2,
            summary: "stop a process with SIGSTOP, until resumed or for a time",
            options: [.duration, .run],
            examples: [
                Example("squall pause inventory 3s", "its lag grows, then it catches up"),
                Example("squall pause mail", "until 'squall resume mail' or 'squall heal'"),
            ],
            group: .disturb
        ),
        CommandSpecification(
            name: "resume",
            operands: "PROCESS",
            operandCount: 1...1,
            summary: "let a paused process go on",
            options: [.run],
            examples: [
                Example("squall resume mail", "ends 'squall pause mail'"),
                Example("squall resume orders-1", "one instance of a service"),
            ],
            group: .disturb
        ),
        CommandSpecification(
            name: "slow",
            operands: "PROCESS DELAY|--cpu SHARE [for DURATION]",
            operandCount: 1...2,
            summary: "delay each event of a service or answer of a party, or take CPU time away",
            details: ["Of the hub each sync of its disk takes longer."],
            options: [
                OptionSpecification(
                    name: "cpu",
                    value: "SHARE",
                    summary: "let the process run only this share of the time, such as 50%"
                ),
                .duration, .run,
            ],
            examples: [
                Example("squall slow analytics 200ms", "until 'squall heal'"),
                Example("squall slow bank 200ms for 10s", "each answer of the bank, for a while"),
                Example("squall slow hub 50ms", "each sync of the log"),
                Example(
                    "squall slow inventory --cpu 20%",
                    "it stands still four fifths of the time"
                ),
            ],
            group: .disturb
        ),
        CommandSpecification(
            name: "cut",
            operands: "FROM TO [for DURATION]",
            operandCount: 2...2,
            summary: "cut the link from one service to another",
            details: ["What was sent over a cut link waits in the log; nothing is lost."],
            options: [.duration, .run],
            examples: [
                Example("squall cut orders payments", "until 'squall heal'"),
                Example("squall cut orders inventory for 5s", "heals by itself"),
            ],
            group: .disturb
        ),
        link,
        CommandSpecification(
            name: "crash-loop",
            operands: "PROCESS [for DURATION]",
            operandCount: 1...1,
            summary: "kill a process again as soon as it is back, until healed or for a time",
            options: [.duration, .run],
            examples: [
                Example("squall crash-loop payments for 5s", "then it catches up"),
                Example("squall crash-loop hub for 2s", "all reconnect, again and again"),
            ],
            group: .disturb
        ),
        CommandSpecification(
            name: "fault",
            operands: "PARTY KIND [for DURATION]",
            operandCount: 2...2,
            summary: "make an outside party misbehave: down, timeout-after, answers-twice",
            details: [
                "down            refuses every request",
                "timeout-after   does what it is asked and withholds the answer",
                "answers-twice   answers every request twice",
            ],
            options: [.duration, .run],
            examples: [
                Example("squall fault bank timeout-after for 5s", "who charges twice now?"),
                Example("squall fault mail down", "until 'squall heal'"),
            ],
            group: .disturb
        ),
        CommandSpecification(
            name: "heal",
            operands: "[NUMBER]",
            operandCount: 0...1,
            summary:
                "end all faults, or one by its number in 'squall ps', and say how often it bit",
            options: [.run],
            examples: [
                Example("squall heal", "all links, delays, pauses and outside parties"),
                Example("squall heal 3", "the fault that 'squall ps' shows as 3"),
            ],
            group: .disturb
        ),
        CommandSpecification(
            name: "load",
            operands: "xN | rate N [for DURATION]",
            operandCount: 1...2,
            summary: "change how many orders are placed",
            details: ["Without a duration it stays until 'squall heal'."],
            options: [.duration, .run],
            examples: [
                Example("squall load x10 for 5s", "a spike"),
                Example("squall load rate 500", "500 orders a second from now on"),
            ],
            group: .disturb
        ),
    ]

    private static let link = CommandSpecification(
        name: "link",
        operands: "FROM TO KIND [for DURATION]",
        operandCount: 3...3,
        summary: "make a link bad: delay, drop, duplicate, reorder, corrupt, hold, throttle, cut",
        details: [
            "The words are those of a link's 'faults' in a topology file. TO may be 'hub'.",
            "What is lost or damaged is noticed and sent again: nothing confirmed is lost.",
        ],
        options: [
            OptionSpecification(
                name: "by",
                value: "DURATION",
                summary: "how long a delay or hold is"
            ),
            OptionSpecification(
                name: "jitter",
                value: "DURATION",
                summary: "how much longer at most"
            ),
            OptionSpecification(
                name: "rate",
                value: "N",
                summary: "what a throttle lets pass a second"
            ),
            OptionSpecification(
                name: "chance",
                value: "SHARE",
                summary: "bite this share, such as 5%"
            ),
            OptionSpecification(name: "every", value: "N", summary: "bite every n-th"),
            OptionSpecification(name: "type", value: "TYPE", summary: "events of this type only"),
            OptionSpecification(name: "subject", value: "TEXT", summary: "of this subject only"),
            OptionSpecification(
                name: "hop",
                value: "HOP",
                summary: "publish, publish-answer, delivery, commit or commit-answer"
            ),
            .duration, .run,
        ],
        examples: [
            Example("squall link orders payments delay --by 20ms --jitter 10ms", "a slow network"),
            Example("squall link shoppers orders drop --chance 5% --hop publish for 10s", "lossy"),
            Example("squall link orders inventory corrupt --every 10", "found and sent again"),
        ],
        group: .disturb
    )

    /// The commands that change which instances of a service there are.
    static let instances: [CommandSpecification] = [
        CommandSpecification(
            name: "scale",
            operands: "SERVICE N",
            operandCount: 2...2,
            summary: "let a service have N instances, each with its share of the partitions",
            details: [
                "At least one, and at most one for each partition of what the service consumes.",
                "An instance that goes first finishes what it has in hand; orders go on.",
            ],
            options: [.run],
            examples: [
                Example("squall scale inventory 3", "two more; squall ps shows who owns what"),
                Example("squall scale inventory 1", "and back"),
            ],
            group: .disturb
        ),
        CommandSpecification(
            name: "restart",
            operands: "PROCESS",
            operandCount: 1...1,
            summary: "end a process in order and start it again; of a service, all instances",
            details: ["A service finishes what it has in hand first; payments-2 is one instance."],
            options: [.run],
            examples: [
                Example("squall restart payments", "what it has in hand is finished first"),
                Example("squall restart hub", "all reconnect and go on"),
            ],
            group: .disturb
        ),
        CommandSpecification(
            name: "roll",
            operands: "SERVICE",
            operandCount: 1...1,
            summary: "restart the instances of a service one after the other",
            details: ["Each hands its partitions to the others first, and gets its share back."],
            options: [.run],
            examples: [
                Example("squall roll inventory", "nobody waits where there are several instances"),
                Example("squall roll payments --json", "the same for a machine"),
            ],
            group: .disturb
        ),
    ]

    /// The commands about events that were given up, and about reading again.
    static let deadLetters: [CommandSpecification] = [
        CommandSpecification(
            name: "dlq",
            operands: "list | show N | redrive [N|all]",
            operandCount: 1...2,
            summary: "list, show or hand back events that a service could not handle",
            options: [
                OptionSpecification(name: "service", value: "SERVICE", summary: "of this one only"),
                OptionSpecification(name: "dry-run", summary: "say what redrive would do"),
                .run,
            ],
            examples: [
                Example("squall dlq list", "number, service, event, error, attempts"),
                Example("squall dlq redrive all --dry-run", "how many would go back"),
            ],
            group: .look
        ),
        CommandSpecification(
            name: "rewind",
            operands: "SERVICE",
            operandCount: 1...1,
            summary: "let a service read its topics again from an earlier place",
            options: [
                OptionSpecification(name: "topic", value: "TOPIC", summary: "this topic only"),
                OptionSpecification(name: "to", value: "OFFSET", summary: "to this offset"),
                OptionSpecification(name: "ago", value: "DURATION", summary: "to that time ago"),
                .run,
            ],
            examples: [
                Example("squall rewind analytics --to 0", "from the very start"),
                Example("squall rewind analytics --topic orders.ended --ago 30s", "one topic"),
            ],
            group: .look
        ),
    ]
}
