extension LogFollower {
    /// Checks, when caught up, that nothing follows but what a crash may have cut short.
    ///
    /// A follower stops at a record that is not whole; this tells one that was changed after it
    /// was committed from one that is only being written.
    ///
    /// - Throws: ``LogError`` with `.corrupt`, naming the file and the byte.
    package func checkEnd(in disk: any Disk) throws(LogError) {
        do {
            let bases = try disk.list().compactMap(Log.position(of:)).sorted()
            guard let base = bases.last(where: { $0 <= self.position }) else { return }
            let file = Log.file(at: base)
            let offset = max(Int(self.position - base), RecordFormat.segmentHeaderBytes)
            let size = try disk.size(of: file)
            var scan = SegmentScan(disk: disk, file: file, base: base, size: size)
            guard offset < size, try scan.record(at: offset) == nil else { return }
            let later = try scan.laterRecord(after: offset)
            guard later != nil || base != bases.last else { return }
            let place = later.map { "; a good record follows at byte \($0)" } ?? ""
            throw LogError(
                .corrupt,
                "\(file) at byte \(offset): a committed record was changed\(place)"
            )
        } catch let error as LogError {
            throw error
        } catch let error as DiskError {
            throw LogError(error)
        } catch {
            preconditionFailure("reading a disk threw \(error)")
        }
    }
}
