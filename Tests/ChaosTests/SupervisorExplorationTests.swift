import Chaos
import Testing

/// Goes through every order in which things can happen to three processes.
private struct Exploration {
    /// What went wrong, and the way there.
    struct Trouble: CustomStringConvertible {
        var what: String
        var moves: [ProcessWorld.Move]

        var description: String { "\(self.what), after \(self.moves)" }
    }

    private(set) var stateCount = 0
    private(set) var moveCount = 0
    private(set) var trouble: Trouble?
    private var cameFrom: [ProcessWorld: (ProcessWorld, ProcessWorld.Move)] = [:]
    private var endsWhenObeyed: Set<ProcessWorld> = []
    private var endsByForce: Set<ProcessWorld> = []
    private var comesUp: Set<ProcessWorld> = []

    /// Explores everything within `depth` events; what the kernel and time do by themselves comes
    /// in between and is not counted.
    init(
        depth: Int,
        from start: ProcessWorld,
        events: (ProcessWorld) -> [ProcessWorld.Move]
    ) {
        var seen: Set = [start]
        var layer = [start]
        for number in 0...depth {
            var next: [ProcessWorld] = []
            var place = 0
            while place < layer.count {
                let world = layer[place]
                place += 1
                if let what = self.judged(world) {
                    self.trouble = Trouble(what: what, moves: self.way(to: world))
                    return
                }
                for move in world.ownMoves {
                    self.visit(world, move, &seen) { layer.append($0) }
                }
                guard number < depth else { continue }
                for move in events(world) { self.visit(world, move, &seen) { next.append($0) } }
            }
            layer = next
        }
    }

    private mutating func visit(
        _ world: ProcessWorld,
        _ move: ProcessWorld.Move,
        _ seen: inout Set<ProcessWorld>,
        _ found: (ProcessWorld) -> Void
    ) {
        var after = world
        after.make(move)
        self.moveCount += 1
        guard seen.insert(after).inserted else { return }
        self.cameFrom[after] = (world, move)
        found(after)
    }

    private mutating func judged(_ world: ProcessWorld) -> String? {
        self.stateCount += 1
        return world.wrong ?? world.ending(obedient: true, known: &self.endsWhenObeyed)
            ?? world.ending(obedient: false, known: &self.endsByForce)
            ?? world.comingUp(known: &self.comesUp)
    }

    private func way(to world: ProcessWorld) -> [ProcessWorld.Move] {
        var moves: [ProcessWorld.Move] = []
        var world = world
        while let (before, move) = self.cameFrom[world] {
            moves.append(move)
            world = before
        }
        return moves.reversed()
    }
}

@Suite struct `The supervisor, in every order of events` {
    /// A world in which everything runs, and starting takes its time.
    private static var running: ProcessWorld {
        var world = ProcessWorld(startsAtOnce: false)
        let moves: [ProcessWorld.Move] = [
            .start, .spawned("a"), .ready("a"), .spawned("b"), .spawned("c"), .ready("b"),
        ]
        for move in moves { world.make(move) }
        return world
    }

    private func expectOrder(_ exploration: Exploration, statesMin: Int) {
        print("\(exploration.stateCount) states and \(exploration.moveCount) moves explored")
        #expect(exploration.trouble == nil, "\(exploration.trouble?.description ?? "")")
        #expect(exploration.stateCount >= statesMin)
    }

    @Test func `six starts, stops, kills, crashes and readies never make two, nor get it stuck`() {
        let exploration = Exploration(depth: 6, from: ProcessWorld()) { $0.events }
        self.expectOrder(exploration, statesMin: 10_000)
    }

    @Test func `commands of every kind do not either, from the start and while it runs`() {
        let fresh = ProcessWorld(startsAtOnce: false)
        for (start, depth) in [(fresh, 3), (Self.running, 2)] {
            let exploration = Exploration(depth: depth, from: start) {
                $0.events + $0.furtherEvents
            }
            self.expectOrder(exploration, statesMin: 500)
        }
    }

    @Test(arguments: [
        (ProcessWorld.Slip.losesExit, "nothing will ever happen"),
        (.startsTwice, "two of a"),
        (.losesSignals, "nothing will ever happen"),
    ])
    func `what goes wrong on purpose is found`(slip: ProcessWorld.Slip, what: String) throws {
        let exploration = Exploration(depth: 4, from: ProcessWorld(slip: slip)) { $0.events }
        let trouble = try #require(exploration.trouble)
        #expect(trouble.what.contains(what), "\(trouble)")
    }
}
