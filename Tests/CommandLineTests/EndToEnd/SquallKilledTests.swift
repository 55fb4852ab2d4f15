import Glibc
import Mesh
import Testing

/// SIGKILL for `squall` itself: it can tell nobody, and yet nothing of it may stay behind.
///
/// `SQUALL_KILL_COUNT` says how often; `SQUALL_KILL_SEED` draws other moments and faults. Where it
/// says how often, a second is all the time there is; among other tests, which have the processors
/// too, it is ten.
@Suite(.serialized) struct `A squall that is killed` {
    private let folder: TestFolder

    init() throws { self.folder = try TestFolder() }

    private static func variable(_ name: String) -> Int? {
        getenv(name).flatMap { Int(String(cString: $0)) }
    }

    /// A service that starts processes of its own and waits for them.
    private static let restless = """
        {
          name: "restless",
          services: {
            parent: {
              command: ["/bin/sh", "-c", "sleep 1000 & sleep 1000"],
              consumes: ["moods"],
            },
          },
          topics: { moods: { types: ["moods.v1"] } },
          links: [{ from: "shoppers", to: "parent" }],
          outside: { shoppers: { kind: "shoppers", emits: ["moods"] } },
        }
        """

    /// What goes wrong at the time, as requests to the running squall.
    private static let faults = [
        #"{"do":"pause","name":"inventory"}"#,
        #"{"do":"slow","name":"payments","percent":20}"#,
        #"{"do":"crash-loop","name":"notifications"}"#,
        #"{"do":"link","from":"orders","to":"payments","fault":{"kind":"delay","by":"9ms"}}"#,
        #"{"do":"party","name":"bank","kind":"down"}"#,
        #"{"do":"pause","name":"hub"}"#,
    ]

    /// The processes that work in the test's folder.
    private func processes() -> [pid_t] {
        TestFolder.names(in: "/proc").compactMap { pid_t($0) }.filter { pid in
            var path = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/\(pid)/cwd", &path, path.count - 1)
            guard count > 0 else { return false }
            let bytes = path[..<count].map { UInt8(bitPattern: $0) }
            return String(decoding: bytes, as: UTF8.self).hasPrefix(self.folder.path)
        }
    }

    private func expectNothingRuns(_ round: String) throws {
        let end = Self.now() + (Self.variable("SQUALL_KILL_COUNT") == nil ? 10_000 : 1000)
        while true {
            let left = self.processes()
            if left.isEmpty { return }
            guard Self.now() < end else {
                let names = left.map { TestFolder.read("/proc/\($0)/stat") }
                throw SquallProcess.Failure("\(round): \(names)")
            }
            usleep(5_000)
        }
    }

    /// Arms faults as soon as somebody listens, until the time is over; returns how many.
    private func disturb(until end: Int64, _ random: inout SeededRandom) -> Int {
        var armed = 0
        while Self.now() < end {
            if armed < 2 {
                let fault = Self.faults[random.below(Self.faults.count)]
                let socket = "\(self.folder.run)/control.sock"
                // A topology that still starts refuses; an answer may need a hub that is paused.
                let answer = try? LineClient.ask(fault, socket: socket, patience: 20)
                if let answer, answer.hasPrefix("{\"ok\"") { armed += 1 }
            }
            usleep(1000)
        }
        return armed
    }

    private static func now() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    @Test func `leaves no process and no fault, and the next one starts as if nothing was`() throws
    {
        try self.folder.write(Self.restless, to: "restless.json")
        let seed = UInt64(Self.variable("SQUALL_KILL_SEED") ?? 1)
        var underFault = 0
        let count = Self.variable("SQUALL_KILL_COUNT") ?? 4
        for number in 0..<count {
            var random = SeededRandom(seed: StableHash.combine(seed, UInt64(number)))
            let isRestless = number % 4 == 3
            let options = isRestless ? "restless.json" : "--rate 200 --chaos kills:3 --for 60s"
            let words = "up --quiet \(options)".split(separator: " ").map(String.init)
            let process = try SquallProcess(words, in: self.folder)
            defer { process.destroy() }
            let moment = random.below(600)
            let armed = self.disturb(until: Self.now() + Int64(moment), &random)
            process.signal(SIGKILL)
            if armed > 0 { underFault += 1 }
            let round = "kill \(number) of seed \(seed), after \(moment) ms"
            let code = try process.wait()
            #expect(code == 128 + SIGKILL, "\(round): \(process.standardError)")
            try self.expectNothingRuns(round)
            let found = try self.folder.squall("ps")
            #expect(found.code == 3, "\(round): \(found.output)\(found.errors)")
            let next = try self.folder.squall("up --quiet --json --rate 500 --for 200ms")
            #expect(next.code == 0, "\(round): \(next.output)\(next.errors)")
            try self.expectNothingRuns(round)
        }
        if count > 4 { print("\(count) kills, \(underFault) of them with a fault armed") }
    }
}
