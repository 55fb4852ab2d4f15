/// Reads how much memory a process needs, from what the kernel tells.
package enum MemoryMeter {
    /// Returns the proportional set size in kibibytes: its own pages, and its share of the others.
    package static func kibibytes(of pid: Int) -> Int? {
        guard let text = try? FileSystem.readText("/proc/\(pid)/smaps_rollup") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("Pss:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }
        return nil
    }
}
