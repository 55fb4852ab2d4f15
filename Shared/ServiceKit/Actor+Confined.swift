extension Actor {
    /// Runs `body` on the actor, on whose executor the caller is known to be.
    ///
    /// A debug build makes sure of that. Otherwise nobody asks: it takes longer than most bodies,
    /// and whoever calls this has come from that executor's own loop. A body that captures nothing
    /// costs no allocation.
    @inlinable
    @inline(__always)
    package nonisolated func confined<Input, Output, Failure>(
        _ input: Input,
        _ body: @escaping (isolated Self, Input) throws(Failure) -> Output
    ) throws(Failure) -> Output {
        #if DEBUG
        self.preconditionIsolated()
        #endif
        typealias Unasked = (Self, Input) throws(Failure) -> Output
        return try unsafeBitCast(body, to: Unasked.self)(self, input)
    }
}
