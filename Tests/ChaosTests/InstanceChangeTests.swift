import Chaos
import Mesh
import Testing

private let start = Instant(nanoseconds: 1_000_000_000)

private func change(
    _ kind: InstanceChange.Kind,
    of instances: [String],
    partitions: Int = 4
) -> InstanceChange {
    InstanceChange(kind, of: "pay", instances: instances, partitions: partitions)
}

@Suite struct `A change of instances` {
    private func view(_ owned: [String: [Int]], isReady: Bool = true) -> InstanceChange.View {
        InstanceChange.View(isReady: isReady, owned: owned)
    }

    @Test func `scaling up starts what is missing and ends when each has its share`() {
        var up = change(.scale(to: 3), of: ["pay-2"])
        #expect(up.expected == ["pay-2", "pay-1", "pay-3"])
        #expect(up.begun(present: ["pay-2"], now: start) == [.start("pay-1"), .start("pay-3")])
        let some = self.view(["pay-1": [0], "pay-2": [1, 2, 3]])
        #expect(up.observed(some, now: start).isEmpty)
        let idle = self.view(["pay-1": [0, 1], "pay-2": [2, 3], "pay-3": []])
        #expect(up.observed(idle, now: start).isEmpty)
        let all = ["pay-1": [0, 1], "pay-2": [2], "pay-3": [3]]
        #expect(up.observed(self.view(all, isReady: false), now: start).isEmpty)
        #expect(up.observed(self.view(all), now: start) == [.finished])
        #expect(up.observed(self.view(all), now: start).isEmpty)
        #expect(up.nextDeadline == nil)
    }

    @Test func `scaling down lets the last ones leave before they end`() {
        let names = ["pay-1", "pay-2", "pay-3"]
        var down = change(.scale(to: 1), of: names)
        #expect(down.begun(present: names, now: start) == [.leave("pay-2"), .leave("pay-3")])
        #expect(down.left("pay-1").isEmpty)
        #expect(down.left("pay-3") == [.retire("pay-3")])
        #expect(down.left("pay-3").isEmpty)
        #expect(down.hubForgot() == [.leave("pay-2")])
        #expect(down.hubForgot("pay-3").isEmpty)
        #expect(down.left("pay-2") == [.retire("pay-2")])
        down.ended("pay-2")
        let alone = self.view(["pay-1": [0, 1, 2, 3]])
        #expect(down.observed(alone, now: start).isEmpty)
        down.ended("pay-3")
        #expect(down.observed(alone, now: start) == [.finished])
    }

    @Test func `nothing to change is done at once`() {
        var same = change(.scale(to: 1), of: ["pay-1"])
        #expect(same.begun(present: ["pay-1"], now: start) == [.finished])
    }

    @Test func `a rolling restart takes one instance after the other`() {
        let names = ["pay-1", "pay-2"]
        let all = self.view(["pay-1": [0, 1], "pay-2": [2, 3]])
        var roll = change(.roll, of: names)
        #expect(roll.begun(present: names, now: start) == [.leave("pay-1")])
        #expect(roll.left("pay-1") == [.restart("pay-1")])
        #expect(roll.observed(all, now: start).isEmpty, "its end was not noticed yet")
        roll.ended("pay-1")
        let other = self.view(["pay-2": [0, 1, 2, 3]])
        #expect(roll.observed(other, now: start).isEmpty)
        #expect(roll.observed(all, now: start) == [.leave("pay-2")])
        #expect(roll.left("pay-2") == [.restart("pay-2")])
        roll.ended("pay-2")
        #expect(roll.observed(all, now: start) == [.finished])
    }

    @Test func `a restart takes all at once`() {
        let names = ["pay-1", "pay-2"]
        var restart = change(.restart(names), of: names)
        #expect(restart.begun(present: names, now: start) == [.leave("pay-1"), .leave("pay-2")])
        #expect(restart.left("pay-1") == [.restart("pay-1")])
        #expect(restart.left("pay-2") == [.restart("pay-2")])
    }

    @Test func `who does not hand over is ended all the same, and a change that hangs says who`() {
        let names = ["pay-1", "pay-2"]
        var down = change(.scale(to: 1), of: names)
        _ = down.begun(present: names, now: start)
        #expect(down.nextDeadline == start + InstanceChange.leaveWithin)
        #expect(down.timePassed(now: start + .seconds(1)).isEmpty)
        let late = start + InstanceChange.leaveWithin
        #expect(down.timePassed(now: late) == [.retire("pay-2")])
        #expect(down.nextDeadline == start + InstanceChange.stepWithin)
        let end = start + InstanceChange.stepWithin
        #expect(down.timePassed(now: end) == [.failed("pay-2")])
        #expect(down.nextDeadline == nil)
        #expect(down.left("pay-2").isEmpty)
    }

    @Test func `more instances than partitions, as a file may ask for, are no reason to wait`() {
        let names = ["pay-1", "pay-2"]
        var roll = change(.roll, of: names, partitions: 1)
        _ = roll.begun(present: names, now: start)
        _ = roll.left("pay-1")
        roll.ended("pay-1")
        let one = self.view(["pay-1": [], "pay-2": [0]])
        #expect(roll.observed(one, now: start) == [.leave("pay-2")])
    }

    @Test func `reads what the hub says`() throws {
        let status = try JSONValue(
            parsing: """
                {"name":"pay","ready":true,"instances":[
                  {"instance":"pay-1","partitions":[0,2]},{"instance":"pay-2","partitions":[]}]}
                """
        )
        let expected = self.view(["pay-1": [0, 2], "pay-2": []])
        #expect(InstanceChange.View(status: status) == expected)
    }
}

@Suite struct `The supervisor of instances` {
    private func running() -> Supervisor {
        var supervisor = Supervisor(
            processes: [ProcessPlan(name: "hub"), ProcessPlan(name: "pay-1", stage: 1)],
            grace: .seconds(2)
        )
        _ = supervisor.startRequested(now: start)
        _ = supervisor.spawned("hub", pid: 1, now: start)
        _ = supervisor.becameReady("hub", now: start)
        _ = supervisor.spawned("pay-1", pid: 2, now: start)
        _ = supervisor.becameReady("pay-1", now: start)
        return supervisor
    }

    private func names(_ supervisor: Supervisor) -> [String] { supervisor.status.map(\.name) }

    @Test func `a new process starts at once; one that is retired ends and is forgotten`() {
        var supervisor = self.running()
        let plan = ProcessPlan(name: "pay-2", stage: 1)
        #expect(supervisor.added(plan, now: start) == [.spawn("pay-2")])
        _ = supervisor.spawned("pay-2", pid: 3, now: start)
        _ = supervisor.becameReady("pay-2", now: start)
        let asked = supervisor.retireRequested("pay-2", now: start)
        #expect(asked == [.signal("pay-2", pid: 3, .terminate)])
        #expect(supervisor.retireRequested("pay-2", now: start).isEmpty)
        #expect(supervisor.killRequested("pay-2", now: start).isEmpty)
        let ended = supervisor.exited("pay-2", .exited(code: 0), lastLines: [], now: start)
        #expect(ended.last == .report(.retired("pay-2")))
        #expect(ended.count == 2)
        #expect(self.names(supervisor) == ["hub", "pay-1"])
    }

    @Test func `one that ignores the request is killed; a restart follows the end`() {
        var supervisor = self.running()
        _ = supervisor.pauseRequested("pay-1", now: start)
        let asked = supervisor.restartRequested("pay-1", now: start)
        #expect(
            asked == [.signal("pay-1", pid: 2, .terminate), .signal("pay-1", pid: 2, .resume)]
        )
        let late = start + .seconds(2)
        #expect(supervisor.nextDeadline == late)
        #expect(supervisor.timePassed(now: late).last == .signal("pay-1", pid: 2, .kill))
        let end = ProcessEnd.signalled(signal: 9, name: "SIGKILL")
        let ended = supervisor.exited("pay-1", end, lastLines: [], now: late)
        #expect(ended.last == .spawn("pay-1"))
        _ = supervisor.spawned("pay-1", pid: 4, now: late)
        let ready = supervisor.becameReady("pay-1", now: late + .milliseconds(5))
        guard case .report(.ready("pay-1", pid: 4, _, servingAfter: .some)) = ready.first else {
            Issue.record("\(ready)")
            return
        }
    }

    @Test func `what is down is retired at once, and a restart tries it again`() {
        var supervisor = self.running()
        _ = supervisor.exited("pay-1", .exited(code: 1), lastLines: [], now: start)
        #expect(supervisor.status.last?.state == .backingOff)
        #expect(supervisor.restartRequested("pay-1", now: start) == [.spawn("pay-1")])
        _ = supervisor.spawnFailed("pay-1", reason: "gone", now: start)
        #expect(
            supervisor.retireRequested("pay-1", now: start) == [.report(.retired("pay-1"))]
        )
        #expect(self.names(supervisor) == ["hub"])
        #expect(supervisor.retireRequested("pay-1", now: start).isEmpty)
        #expect(supervisor.restartRequested("nobody", now: start).isEmpty)
    }

    @Test func `a stop in the middle of a retirement ends everything`() {
        var supervisor = self.running()
        _ = supervisor.retireRequested("pay-1", now: start)
        #expect(supervisor.stopRequested(now: start).isEmpty)
        let ended = supervisor.exited("pay-1", .exited(code: 0), lastLines: [], now: start)
        #expect(ended.last == .signal("hub", pid: 1, .terminate))
    }
}
