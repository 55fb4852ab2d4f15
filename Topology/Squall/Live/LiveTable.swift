import Chaos
import RealWorld

/// Draws a status as lines of text: the page of `squall up` and the answer of `squall ps`.
struct LiveTable: Sendable {
    /// How many columns there are; lines never are longer.
    var width = 80
    var style = Style(color: false)
    /// How many of the last happenings are shown.
    var happeningCountMax = 6

    /// Returns the whole page.
    func lines(of status: TopologyStatus) -> [String] {
        var lines = [self.header(status), ""]
        lines += self.processes(status.processes)
        lines.append("")
        lines.append(self.orders(status.orders))
        lines += status.faults.map(self.fault)
        let happenings = status.happenings.suffix(self.happeningCountMax)
        if !happenings.isEmpty { lines.append("") }
        lines += happenings.map(self.happening)
        return lines
    }

    /// Returns the header and one line a process.
    func processes(_ processes: [TopologyStatus.Process]) -> [String] {
        let columns = self.columns(for: processes)
        var lines = [
            self.style.dim(
                self.fit(columns.map { $0.padded($0.title) }.joined(separator: "  "))
            )
        ]
        for process in processes {
            let cells = columns.map { column in
                let text = column.padded(column.text(process))
                return column.title == "state" ? self.tinted(text, process.state) : text
            }
            lines.append(cells.joined(separator: "  "))
        }
        return lines
    }

    /// Returns one line that says how far a run is, for where no page can be drawn.
    static func progress(_ status: TopologyStatus, news: [TopologyStatus.Happening]) -> String {
        let orders = status.orders
        var parts = [
            "\(HumanText.clock(status.elapsed)) \(status.phase.rawValue)",
            "placed \(HumanText.count(orders.placed))",
            "confirmed \(HumanText.count(orders.confirmed))",
            "cancelled \(HumanText.count(orders.cancelled))",
            "in progress \(HumanText.count(orders.inProgress))",
            "captured \(HumanText.money(cents: orders.capturedCents))",
        ]
        if let far = Self.far(status) { parts.insert(far, at: 1) }
        parts += news.map(\.text)
        return parts.joined(separator: " · ")
    }

    /// How far a run with an end is: `43 %, 5 s left`.
    private static func far(_ status: TopologyStatus) -> String? {
        guard let progress = status.progress, status.phase != .ended, status.phase != .starting
        else { return nil }
        let percent = "\(progress / 10_000) %"
        guard let left = status.timeLeft else { return percent }
        return "\(percent), about \(HumanText.duration(left)) left"
    }

    private func header(_ status: TopologyStatus) -> String {
        let parts = [
            "squall", status.topology, status.run, HumanText.clock(status.elapsed),
            status.phase.rawValue, status.load, Self.far(status) ?? "",
        ]
        let text = self.fit(parts.filter { !$0.isEmpty }.joined(separator: "  "))
        guard text.hasPrefix("squall") else { return text }
        return self.style.bold("squall") + text.dropFirst("squall".count)
    }

    private func orders(_ orders: TopologyStatus.Orders) -> String {
        var parts = [
            "placed \(HumanText.count(orders.placed))",
            "confirmed \(HumanText.count(orders.confirmed))",
            "cancelled \(HumanText.count(orders.cancelled))",
            "in progress \(HumanText.count(orders.inProgress))",
            "captured \(HumanText.money(cents: orders.capturedCents))",
        ]
        if orders.refundedCents != 0 {
            parts.append("refunded \(HumanText.money(cents: orders.refundedCents))")
        }
        if let p99 = orders.p99 { parts.append("p99 \(HumanText.duration(p99))") }
        return self.labelled("orders", parts.joined(separator: " · "))
    }

    private func fault(_ fault: TopologyStatus.Fault) -> String {
        let bitten =
            fault.bitten == 0 ? "not bitten yet" : "bitten \(HumanText.count(fault.bitten))×"
        let heals = fault.remaining.map { ", heals in \(HumanText.duration($0))" } ?? ""
        let number = fault.number.map { "\($0) " } ?? ""
        let text = "\(number)\(fault.text) (\(bitten)\(heals))"
        return self.style.yellow(self.labelled("fault", text))
    }

    private func happening(_ happening: TopologyStatus.Happening) -> String {
        let line = self.labelled(HumanText.clock(happening.after), happening.text)
        switch happening.tone {
        case .neutral: return self.style.dim(line)
        case .good: return self.style.green(line)
        case .bad: return self.style.red(line)
        }
    }

    private func labelled(_ label: String, _ text: String) -> String {
        self.fit("\(HumanText.padded(label, 8)) \(text)")
    }

    private func tinted(_ text: String, _ state: String) -> String {
        switch state {
        case "ready": self.style.green(text)
        case "starting", "stopping", "paused": self.style.yellow(text)
        case "stopped": self.style.dim(text)
        default: self.style.red(text)
        }
    }

    /// Cuts a line that is too long, and says so with three dots.
    private func fit(_ text: String) -> String {
        text.count <= self.width ? text : text.prefix(max(0, self.width - 1)) + "…"
    }
}

extension LiveTable {
    private struct Column {
        let title: String
        let isNumber: Bool
        /// Those with the highest number go first where there is too little room.
        let importance: Int
        let text: @Sendable (TopologyStatus.Process) -> String
        var width = 0

        func padded(_ text: String) -> String {
            self.isNumber
                ? HumanText.padded(left: text, self.width) : HumanText.padded(text, self.width)
        }
    }

    /// Who owns what is worth a column where a service has several instances.
    private static let partitions = Column(title: "partitions", isNumber: false, importance: 3) {
        HumanText.ranges($0.partitions ?? [])
    }

    /// So is how a service catches up, where one does.
    private static let catchUp = Column(title: "catches up", isNumber: true, importance: 3) {
        guard let rate = $0.catchUpPerSecond, let time = $0.caughtUpIn else { return "" }
        return "\(HumanText.count(rate))/s, \(HumanText.duration(time))"
    }

    private static let allColumns: [Column] = [
        Column(title: "process", isNumber: false, importance: 0) { $0.name },
        Column(title: "state", isNumber: false, importance: 1) { $0.state },
        Column(title: "pid", isNumber: true, importance: 6) { $0.pid.map(String.init) ?? "-" },
        Column(title: "events/s", isNumber: true, importance: 3) { process in
            process.eventsPerSecond.map(HumanText.count) ?? ""
        },
        Column(title: "lag", isNumber: true, importance: 2) { process in
            process.lag.map(HumanText.count) ?? ""
        },
        Column(title: "p99", isNumber: true, importance: 5) { process in
            process.p99.map(HumanText.duration) ?? ""
        },
        Column(title: "restarts", isNumber: true, importance: 4) { String($0.restarts) },
        Column(title: "memory", isNumber: true, importance: 7) { process in
            process.memoryKibibytes.map { HumanText.memory(kibibytes: $0) } ?? ""
        },
    ]

    /// The columns that fit, each as wide as its widest cell, with room so that it does not jump.
    private func columns(for processes: [TopologyStatus.Process]) -> [Column] {
        let services = processes.compactMap(\.service)
        var all = Self.allColumns
        if Set(services).count < services.count { all.insert(Self.partitions, at: 2) }
        if processes.contains(where: { $0.caughtUpIn != nil }),
            let lag = all.firstIndex(where: { $0.title == "lag" })
        {
            all.insert(Self.catchUp, at: lag + 1)
        }
        var columns = all.map { column in
            var column = column
            let widest = processes.map { column.text($0).count }.max() ?? 0
            let least = column.isNumber ? 8 : column.title.count
            column.width = max(widest, column.title.count, least)
            return column
        }
        while columns.count > 1,
            columns.reduce(2 * (columns.count - 1), { $0 + $1.width }) > self.width,
            let least = columns.indices.max(by: {
                columns[$0].importance < columns[$1].importance
            })
        {
            columns.remove(at: least)
        }
        return columns
    }
}
