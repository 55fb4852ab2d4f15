import Chaos
import Testing

@Test func `what nobody answers is sent again, ever later, until an answer comes`() {
    var watch = AnswerWatch()
    #expect(watch.sent(answered: 0, open: 0) == nil)
    #expect(watch.sent(answered: 0, open: 2) == .seconds(1))
    #expect(watch.sent(answered: 0, open: 3) == nil, "one look at a time")
    for seconds in [2, 4, 8, 8] {
        let isLost = watch.cameDue(answered: 0, open: 3, isConnected: true)
        #expect(isLost)
        #expect(watch.sent(answered: 0, open: 3) == .seconds(seconds))
    }
    let isLost = watch.cameDue(answered: 1, open: 2, isConnected: true)
    #expect(!isLost, "the others may be on their way")
    #expect(watch.sent(answered: 1, open: 2) == .seconds(1))
    let isAway = watch.cameDue(answered: 1, open: 2, isConnected: false)
    #expect(!isAway, "a new connection sends everything again anyway")
}
