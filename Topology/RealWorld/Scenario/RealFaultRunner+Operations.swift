import Chaos
import Mesh

extension RealFaultRunner {
    /// An operation is due; one after the other at each service.
    func queue(_ index: Int) {
        let service = self.scenario.operations[index].service
        self.operating[service, default: []].append(index)
        if self.operating[service]?.count == 1 { self.operate(index) }
    }

    func operate(_ index: Int) {
        let operation = self.scenario.operations[index]
        let name = operation.service
        let answer: ControlServer.Answer = { [weak self] in self?.operated(index, $0) }
        self.note("\(operation.deed)")
        do throws(ControlError) {
            switch operation.kind {
            case .scale: try self.run.scale(name, to: operation.instances, answer)
            case .restart: try self.run.restart(name, answer)
            case .roll: try self.run.roll(name, answer)
            case .redrive: self.command(["do": "redrive", "service": .string(name)], index)
            case .rewind: self.command(["do": "rewind", "service": .string(name), "to": 0], index)
            }
        } catch {
            self.operated(index, .failure(error))
        }
    }

    private func command(_ request: JSONValue, _ index: Int) {
        self.run.admin.ask(request) { [weak self] result in
            guard let self else { return }
            if case .failure = result, !self.run.admin.isUp {
                self.unasked.append(index)
                return
            }
            self.operated(
                index,
                result.flatMap { answer in
                    let count = answer["redriven"]?.int ?? answer["events"]?.int ?? 0
                    return count > 0
                        ? .success(answer) : .failure(ControlError("there was nothing to do"))
                }
            )
        }
    }

    private func operated(_ index: Int, _ result: Result<JSONValue, ControlError>) {
        let operation = self.scenario.operations[index]
        guard self.ends[index] == nil else { return }
        switch result {
        case .success: self.ends[index] = true
        case .failure(let error):
            self.ends[index] = false
            self.note("\(operation.deed) did not come to its end: \(error.message)")
        }
        self.operating[operation.service]?.removeFirst()
        guard let next = self.operating[operation.service]?.first else {
            self.operating[operation.service] = nil
            return
        }
        self.operate(next)
    }
}
