import CSystem

/// The pages of this process that hold the program itself.
package enum ProgramCode {
    /// Lets go of what only the start needed; what is needed again comes back from the file.
    ///
    /// A program touches most of its code once, when it starts; a process that then runs for long
    /// should not be charged for it. Costs some tens of microseconds.
    package static func release() { squall_release_code() }
}
