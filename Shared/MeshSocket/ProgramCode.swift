import CSystem
import Mesh

/// The pages of this process that hold the program itself.
package enum ProgramCode {
    /// Lets go of what only the start needed, once that is over; what is needed again comes back
    /// from the file.
    ///
    /// A program touches most of its code once, when it starts; a process that then runs for long
    /// should not be charged for it. Takes half a millisecond, a moment after the launch.
    package static func releaseSoon(on loop: EventLoop) {
        loop.timer(at: loop.now() + .milliseconds(200)) { squall_release_code() }
    }
}
