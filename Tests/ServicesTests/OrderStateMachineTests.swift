import Events
import Mesh
import ServiceKit
import Testing

@testable import OrdersService

/// Walks every order of everything that can happen to one order, and looks at every end.
///
/// The world behind the machine is the simplest that keeps its promises: Inventory and the bank
/// answer what they are asked, in the order asked for each product and each key, when they like;
/// timers fire when they like as long as they are armed, and once more after they were cancelled.
private struct World: Hashable {
    enum StockRequest: Hashable { case reserve, release, ship }
    enum Line: Hashable { case untouched, reserved, refused, released, shipped }
    enum BankRequest: Hashable { case charge, refund }
    enum Money: Hashable { case untouched, captured, declined, refunded, voided }
    enum Answer: Hashable {
        case reserved(Int), refused(Int), captured, declined
    }

    var machine: OrderStateMachine
    /// For each line, what Inventory has not looked at yet.
    var stockRequests: [[StockRequest]]
    var lines: [Line]
    var bankRequests: [BankRequest] = []
    var money = Money.untouched
    /// Answers on their way, in any order: the partition of the mesh orders them as it likes.
    var answers: Set<Answer> = []
    var delivered: Set<Answer> = []
    var armed: Set<OrderWait> = []
    var fired: Set<OrderWait> = []
    var confirmed = 0
    var cancelled = 0
}

private struct Walk {
    let placed: OrderPlaced
    /// Whether each answer may come a second time.
    var duplicates = false
    var visited: Set<World> = []
    var ends: [World] = []
    var problems: [String] = []

    init(lines: Int, total: Int64) {
        self.placed = OrderPlaced(
            order: OrderID("order-1"),
            customer: CustomerID("customer-1"),
            lines: (0..<lines).map {
                OrderLine(product: ProductID("w1/p-\($0)"), quantity: $0 + 2, amount: Money())
            },
            total: Money(cents: total)
        )
    }

    mutating func run(flaws: Flaws = Flaws()) {
        let count = self.placed.lines.count
        var world = World(
            machine: OrderStateMachine(flaws: flaws),
            stockRequests: Array(repeating: [], count: count),
            lines: Array(repeating: .untouched, count: count)
        )
        self.take(world.machine.placed(self.placed), &world)
        var stack = [world]
        while let next = stack.popLast() {
            guard self.visited.insert(next).inserted else { continue }
            let successors = self.successors(next)
            if successors.isEmpty { self.ends.append(next) }
            stack += successors
        }
    }

    // MARK: What can happen next

    private mutating func successors(_ world: World) -> [World] {
        var out: [World] = []
        for line in world.lines.indices where !world.stockRequests[line].isEmpty {
            out += self.inventoryHandles(line, world)
        }
        if !world.bankRequests.isEmpty { out += self.bankHandles(world) }
        for answer in world.answers {
            out.append(self.delivers(answer, world) { $0.answers.remove(answer) })
        }
        if self.duplicates {
            for answer in world.delivered.subtracting(world.answers) {
                out.append(self.delivers(answer, world) { $0.delivered.remove(answer) })
            }
        }
        for wait in [OrderWait.stock, .payment] {
            let late = !world.armed.contains(wait) && !world.fired.contains(wait)
            if world.armed.contains(wait) || (self.duplicates && late) {
                out.append(self.fires(wait, world))
            }
        }
        return out.filter { $0 != world }
    }

    private mutating func inventoryHandles(_ line: Int, _ world: World) -> [World] {
        var next = world
        switch next.stockRequests[line].removeFirst() {
        case .reserve:
            var refused = next
            next.lines[line] = .reserved
            next.answers.insert(.reserved(line))
            refused.lines[line] = .refused
            refused.answers.insert(.refused(line))
            return [next, refused]

        case .release:
            if next.lines[line] == .shipped { self.problems.append("released what was shipped") }
            if next.lines[line] == .reserved { next.lines[line] = .released }
            return [next]

        case .ship:
            if next.lines[line] != .reserved { self.problems.append("shipped what is not held") }
            next.lines[line] = .shipped
            return [next]
        }
    }

    private func bankHandles(_ world: World) -> [World] {
        var next = world
        switch next.bankRequests.removeFirst() {
        case .charge where next.money == .untouched:
            var declined = next
            next.money = .captured
            next.answers.insert(.captured)
            declined.money = .declined
            declined.answers.insert(.declined)
            return [next, declined]

        case .charge:
            next.answers.insert(.declined)

        case .refund:
            if next.money == .captured { next.money = .refunded }
            if next.money == .untouched { next.money = .voided }
        }
        return [next]
    }

    private mutating func delivers(
        _ answer: World.Answer,
        _ world: World,
        _ change: (inout World) -> Void
    ) -> World {
        var next = world
        next.delivered.insert(answer)
        change(&next)
        let order = self.placed.order
        switch answer {
        case .reserved(let line):
            let product = self.placed.lines[line].product
            let quantity = self.placed.lines[line].quantity
            let event = StockReserved(
                order: order,
                line: line,
                product: product,
                quantity: quantity
            )
            self.take(next.machine.stockReserved(event), &next)

        case .refused(let line):
            let event = StockRefused(
                order: order,
                line: line,
                product: self.placed.lines[line].product,
                quantity: self.placed.lines[line].quantity,
                available: 0
            )
            self.take(next.machine.stockRefused(event), &next)

        case .captured:
            let event = PaymentCaptured(
                order: order,
                amount: self.placed.total,
                receipt: "receipt"
            )
            self.take(next.machine.paymentCaptured(event), &next)

        case .declined:
            let event = PaymentDeclined(order: order, amount: self.placed.total, reason: "no")
            self.take(next.machine.paymentDeclined(event), &next)
        }
        return next
    }

    private mutating func fires(_ wait: OrderWait, _ world: World) -> World {
        var next = world
        next.armed.remove(wait)
        next.fired.insert(wait)
        switch wait {
        case .stock:
            let event = StockOverdue(order: self.placed.order)
            self.take(next.machine.stockOverdue(event), &next)

        case .payment:
            let event = PaymentOverdue(order: self.placed.order)
            self.take(next.machine.paymentOverdue(event), &next)
        }
        return next
    }

    // MARK: What the machine decided

    private mutating func take(_ decision: OrderDecision, _ world: inout World) {
        for change in decision.changes {
            let read = try? OrderChange(decoding: change.encoded())
            if read != change { self.problems.append("\(change) does not survive the journal") }
            world.machine.apply(change)
        }
        var restored = OrderStateMachine()
        try? restored.restore(from: world.machine.snapshot())
        if restored.snapshot() != world.machine.snapshot() {
            self.problems.append("a snapshot does not restore what it was taken of")
        }
        for action in decision.actions { self.perform(action, &world) }
        if world.confirmed + world.cancelled > 1 { self.problems.append("ended twice") }
    }

    private mutating func perform(_ action: OrderAction, _ world: inout World) {
        switch action {
        case .requestStock(let event): world.stockRequests[event.line].append(.reserve)
        case .releaseStock(let event):
            if event.quantity != self.placed.lines[event.line].quantity {
                self.problems.append("released another quantity than was reserved")
            }
            world.stockRequests[event.line].append(.release)
        case .shipStock(let event): world.stockRequests[event.line].append(.ship)
        case .requestPayment: world.bankRequests.append(.charge)
        case .requestRefund: world.bankRequests.append(.refund)
        case .confirm: world.confirmed += 1
        case .cancel: world.cancelled += 1
        case .startTimer(let wait, _): world.armed.insert(wait)
        case .stopTimer(let wait, _): world.armed.remove(wait)
        }
    }

    /// What is wrong at the ends, or was on the way.
    var findings: Set<String> {
        var found = Set(self.problems)
        for end in self.ends {
            if end.confirmed + end.cancelled != 1 { found.insert("did not end exactly once") }
            let shipped = end.lines.allSatisfy { $0 == .shipped }
            let free = end.lines.allSatisfy { $0 != .reserved && $0 != .shipped }
            if end.confirmed == 1, !shipped { found.insert("confirmed and not shipped") }
            if end.cancelled == 1, !free { found.insert("cancelled and stock still held") }
            let paid = end.money == .captured
            if end.confirmed == 1, self.placed.total > .zero, !paid {
                found.insert("confirmed and not paid")
            }
            if end.cancelled == 1, paid { found.insert("cancelled and still paid") }
            if !end.machine.open.isEmpty { found.insert("still open") }
            if !end.armed.isEmpty { found.insert("a timer is left") }
        }
        return found
    }
}

@Suite struct OrderStateMachineTests {
    @Test(arguments: 1...3) func `whatever happens in whatever order, an order ends exactly once`(
        lines: Int
    ) {
        var walk = Walk(lines: lines, total: 1000)
        walk.run()
        #expect(walk.findings == [])
        #expect(walk.ends.contains { $0.confirmed == 1 })
        #expect(walk.ends.contains { $0.cancelled == 1 && $0.money == .refunded })
        #expect(walk.ends.contains { $0.cancelled == 1 && $0.lines.contains(.released) })
    }

    @Test func `answers and timers that come twice or too late change nothing`() {
        var walk = Walk(lines: 2, total: 1000)
        walk.duplicates = true
        walk.run()
        #expect(walk.findings == [])
        #expect(walk.visited.count > 1000)
    }

    @Test func `an order that costs nothing is confirmed without a bank`() {
        var walk = Walk(lines: 2, total: 0)
        walk.run()
        #expect(walk.findings == [])
        #expect(walk.ends.contains { $0.confirmed == 1 })
        #expect(walk.ends.allSatisfy { $0.money == .untouched })
    }

    @Test func `the planted bug keeps the stock of declined orders, and the walk finds it`() {
        var walk = Walk(lines: 2, total: 1000)
        walk.run(flaws: Flaws(names: [Flaw.lostCompensation.rawValue]))
        #expect(walk.findings == ["cancelled and stock still held"])
    }

    @Test func `an order placed twice is one order, before and after its end`() {
        var machine = OrderStateMachine()
        let order = Walk(lines: 1, total: 5).placed
        for change in machine.placed(order).changes { machine.apply(change) }
        #expect(machine.placed(order) == OrderDecision())
        for change in machine.stockOverdue(StockOverdue(order: order.order)).changes {
            machine.apply(change)
        }
        #expect(machine.isCancelled(order.order))
        #expect(machine.placed(order) == OrderDecision())
    }

    @Test func `an order that makes no sense is cancelled at once`() {
        let line = OrderLine(product: ProductID("w1/p-1"), quantity: 0, amount: Money())
        let good = OrderLine(product: ProductID("w1/p-1"), quantity: 1, amount: Money())
        let machine = OrderStateMachine()
        for (lines, cents) in [([], 0), ([line], 0), ([good, line], 10), ([good], -1)] {
            let order = OrderPlaced(
                order: OrderID("order-1"),
                customer: CustomerID("c"),
                lines: lines,
                total: Money(cents: Int64(cents))
            )
            let decision = machine.placed(order)
            #expect(decision.actions.count == 1)
            guard case .cancel(let event)? = decision.actions.first else {
                Issue.record("not cancelled: \(decision)")
                continue
            }
            #expect(event.reason == CancelReason.invalid)
        }
    }

    @Test func `answers about orders and lines that nobody knows change nothing`() {
        var machine = OrderStateMachine()
        let order = Walk(lines: 1, total: 5).placed
        for change in machine.placed(order).changes { machine.apply(change) }
        let stranger = ProductID("w9/p-9")
        for (line, product) in [(7, order.lines[0].product), (-1, stranger), (0, stranger)] {
            let event = StockReserved(
                order: order.order,
                line: line,
                product: product,
                quantity: 1
            )
            #expect(machine.stockReserved(event) == OrderDecision())
        }
        let unknown = PaymentCaptured(order: OrderID("order-9"), amount: Money(), receipt: "")
        #expect(machine.paymentCaptured(unknown) == OrderDecision())
    }

    @Test func `equal states have equal snapshots, whatever the order they came about in`() throws {
        var forward = OrderStateMachine()
        var backward = OrderStateMachine()
        let numbers = Array(1...200)
        func open(_ number: Int, _ machine: inout OrderStateMachine) {
            var order = Walk(lines: 2, total: 5).placed
            order.order = OrderID("order-\(number)")
            for change in machine.placed(order).changes { machine.apply(change) }
            guard number % 3 == 0 else { return }
            let overdue = StockOverdue(order: order.order)
            for change in machine.stockOverdue(overdue).changes { machine.apply(change) }
        }
        for number in numbers { open(number, &forward) }
        for number in numbers.reversed() { open(number, &backward) }
        #expect(forward.snapshot() == backward.snapshot())

        var restored = OrderStateMachine()
        try restored.restore(from: forward.snapshot())
        #expect(restored == forward)
        #expect(throws: WireError.self) {
            try restored.restore(from: Array(forward.snapshot().dropLast(3)))
        }
    }
}
