/// What the process ends with.
enum ExitCode {
    /// Everything held.
    static let held: Int32 = 0
    /// Something broke, or nothing could be judged.
    static let broken: Int32 = 1
    /// The command line or a file makes no sense.
    static let usage: Int32 = 2
    /// It could not run.
    static let couldNotRun: Int32 = 3
}
