import CSystem
import Glibc

/// Blocks behind the end of a file that nobody else can take.
enum FileRoom {
    /// Reserves them; returns nil where that was done.
    static func reserve(_ fd: Int32, from size: Int, to bytes: Int) -> SystemError? {
        guard squall_reserve(fd, Int64(size), Int64(bytes - size)) != 0 else { return nil }
        guard errno == EOPNOTSUPP || errno == ENOSYS else { return .last("fallocate") }
        // Nothing can be put aside here; at least look whether there is as much at the moment.
        var system = statvfs()
        guard fstatvfs(fd, &system) == 0 else { return .last("fstatvfs") }
        let (free, isHuge) = UInt64(system.f_bavail)
            .multipliedReportingOverflow(by: UInt64(system.f_frsize))
        if isHuge || free >= UInt64(bytes - size) { return nil }
        return SystemError(call: "fallocate", errno: ENOSPC)
    }
}
