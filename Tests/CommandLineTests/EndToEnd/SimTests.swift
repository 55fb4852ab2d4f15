import Glibc
import Mesh
import Testing

/// `squall sim` and what belongs to it.
@Suite struct `squall sim` {
    private let folder: TestFolder

    init() throws {
        self.folder = try TestFolder()
    }

    @Test(
        arguments: [
            (#"executable: "Greeter""#, "the simulated world has no service 'greeter'; it has "),
            (
                #"command: ["python3", "greeter.py"]"#,
                "'greeter' is a program of its own (python3 greeter.py)"
            ),
        ]
    )
    func `refuses a service that it cannot run`(program: String, words: String) throws {
        let topology = """
            {
              name: "hello",
              services: {
                greeter: { \(program), consumes: ["visits"], emits: ["greetings"] },
              },
              topics: { visits: {}, greetings: { types: ["greeted.v1"], recordOnly: true } },
              links: [{ from: "visitors", to: "greeter" }],
              outside: { visitors: { kind: "shoppers", emits: ["visits"] } },
            }
            """
        try self.folder.write(topology, to: "hello.json")
        for line in ["sim hello.json --runs 1", "sim hello.json --verify --runs 1"] {
            let result = try self.folder.squall(line)
            #expect(result.code == 2)
            #expect(result.errors.contains(words), "\(result.errors)")
            #expect(result.errors.contains("try: squall up hello.json"))
        }
    }

    /// A squall that is another build of this one: the third event of each run is another.
    private func writeOther() throws {
        let squall = "\(SquallProcess.executables)/squall"
        try self.folder.write(
            """
            #!/bin/sh
            case "$*" in
            *--hashes*) "\(squall)" "$@" | sed '2s/....$/0000/' ;;
            *) "\(squall)" "$@" | sed '3s/"source":"[a-z]*"/"source":"elsewhere"/' ;;
            esac
            """,
            to: "other"
        )
        chmod("\(self.folder.path)/other", 0o700)
    }

    @Test func `compares the runs of each seed, and names the first event that differs`() throws {
        let line = "sim --verify --seed 7 --runs 2 --orders 5 --faults 2"
        #expect(try self.folder.squall(line).output.hasPrefix("EQUAL 2 seeds"))
        try self.writeOther()
        let result = try self.folder.squall("\(line) --with ./other")
        #expect(result.code == 1)
        #expect(result.output.contains("DIFFERENT 1 of 2 seeds, the first is 8"), "\(result)")
        #expect(result.output.contains("event that differs, number 3, here and there:"))
        #expect(result.output.contains(#""source":"elsewhere""#))
        let json = try self.folder.squall("\(line) --with ./other --json")
        #expect(json.code == 1)
        let difference = try JSONValue(parsing: json.output)["first_difference"]
        #expect(difference?["seed"] == "8")
        #expect(difference?["number"] == 3)
        #expect(difference?["right"]?.string?.contains("elsewhere") == true)
    }
}
