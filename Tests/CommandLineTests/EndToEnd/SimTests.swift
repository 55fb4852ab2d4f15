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
}
