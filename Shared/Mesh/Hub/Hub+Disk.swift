extension Hub {
    /// Lets the disk fail as a scenario says: the request names all that is wrong with it.
    func harmDisk(_ request: JSONValue) -> JSONValue {
        guard let faults = self.diskFaults else {
            return ["error": "this hub was started with a disk that cannot fail on purpose"]
        }
        faults.failsNextSync = request["failsNextSync"]?.bool ?? false
        faults.tearsNextWrite = request["tearsNextWrite"]?.bool ?? false
        if request["isFull"]?.bool == true {
            faults.limit?.fill()
        } else {
            faults.limit?.othersTake = 0
        }
        return ["refusedByDisk": .int(Int64(self.refusedByDisk))]
    }

    /// How often there was no room on a disk that was filled on purpose.
    var refusedByDisk: Int { self.diskFaults?.limit?.refusedCount ?? 0 }
}
