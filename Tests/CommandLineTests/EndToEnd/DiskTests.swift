import Glibc
import Mesh
import Testing

/// Whether a file system of our own can be mounted here, in a namespace of our own.
private let canMount: Bool = {
    let line = "unshare -rm sh -c 'mount -t tmpfs none /tmp' 2>/dev/null"
    return system(line) == 0
}()

/// Disks that fill up and power that is cut, with real processes.
@Suite(.serialized) struct `On a bad disk squall` {
    private let folder: TestFolder

    init() throws { self.folder = try TestFolder() }

    /// Runs the shop while the hub is killed again and again.
    private func run(
        _ options: String,
        killing moments: [Int] = [80, 220, 380]
    ) throws -> (code: Int32, verdict: JSONValue) {
        let line = "up --quiet --json --rate 150 \(options)"
        let words = line.split(separator: " ").map(String.init)
        let process = try SquallProcess(words, in: self.folder)
        defer { process.destroy() }
        for orders in moments {
            try Deadline.wait(seconds: 20, for: "\(orders) orders") {
                guard let status = try? self.folder.json("ps") else { return false }
                return (status["orders"]?["placed"]?.int ?? 0) >= Int64(orders)
            }
            // While it is being started again there is nothing to kill.
            try Deadline.wait(seconds: 20, for: "the hub to be killed") {
                try self.folder.squall("kill hub").code == 0
            }
        }
        process.signal(SIGINT)
        let code = try process.wait()
        return (code, try JSONValue(parsing: process.standardOutput))
    }

    @Test func `loses nothing when each kill is a power cut`() throws {
        let (code, verdict) = try self.run("--power-cuts")
        #expect(code == 0, "\(verdict.text)")
        #expect(verdict["verdict"] == "passed")
    }

    @Test func `finds out that a sync is missing when each kill is a power cut`() throws {
        // A single power cut may by chance lose nothing.
        let moments = [80, 180, 280, 380]
        let (code, verdict) = try self.run(
            "--power-cuts --flaw ack-before-commit",
            killing: moments
        )
        #expect(code == 1, "\(verdict.text)")
        #expect(verdict["verdict"] == "failed")
    }

    /// The disk fills up, the hub is killed on it, and somebody makes room.
    private static let script = """
        set -e
        squall="$1"; folder="$2"; topology="$3"
        mount -t tmpfs -o size=24m none "$folder"
        cd "$folder"
        # Waits until the command that follows succeeds.
        until_holds() {
            for try in $(seq 300); do "$@" && return; sleep 0.1; done
            echo "waited in vain for: $*"; return 1
        }
        ps_says() { "$squall" ps --json 2> /dev/null | grep -Eq "$1"; }
        timeout 100 "$squall" up "$topology" --rate 150 > out 2>&1 &
        up=$!
        until_holds ps_says '"confirmed":[0-9]{3}'
        dd if=/dev/zero of=big bs=64k 2>/dev/null || true
        until_holds ps_says 'is full'
        # While it is being started again there is nothing to kill.
        until_holds "$squall" kill hub > /dev/null
        until_holds ps_says '"name":"hub","state":"ready"[^}]*"restarts":1'
        rm big
        until_holds ps_says 'has room'
        kill -TERM $up
        code=0; wait $up || code=$?
        cat out
        echo "code $code"
        "$squall" check --json
        """

    @Test(.enabled(if: canMount, "needs a namespace of its own to mount a small disk"))
    func `refuses orders while it is full, goes on when there is room, and passes`() throws {
        let small = "\(self.folder.path)/small"
        mkdir(small, 0o700)
        try self.folder.write(Self.script, to: "script.sh")
        let command = [
            "unshare -rm sh \(self.folder.path)/script.sh", "\(SquallProcess.executables)/squall",
            small, self.topology(), "> \(self.folder.path)/all 2>&1",
        ].joined(separator: " ")
        let status = system(command)
        let output = TestFolder.read("\(self.folder.path)/all")
        #expect(status == 0, "\(output)")
        #expect(output.contains("\ncode 0\n"), "\(output)")
        let last = output.split(separator: "\n").last.map(String.init) ?? ""
        let verdict = try JSONValue(parsing: last)
        #expect(verdict["verdict"] == "passed", "\(output)")
        #expect((verdict["counts"]?["ordersRefused"]?.int ?? 0) > 0, "\(output)")
    }

    /// The shop's file lies beside the sources, which the working directory of tests is.
    private func topology() -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getcwd(&buffer, buffer.count) != nil else { return "Topology/shop.json" }
        let path = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: path, as: UTF8.self) + "/Topology/shop.json"
    }
}
