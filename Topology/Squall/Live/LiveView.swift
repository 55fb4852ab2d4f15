import Mesh
import MeshSocket
import RealWorld

/// Shows a run while it runs: a page on a terminal, else a line now and then, or nothing.
final class LiveView {
    private enum Mode { case page, lines, silent }

    private let context: CommandContext
    private let loop: EventLoop
    private let status: () -> TopologyStatus
    private let mode: Mode
    private var page = LivePage()
    private var news: [TopologyStatus.Happening] = []
    private var refresh: () -> Void = {}
    private var timer: TimerID?
    private var shownPhase: TopologyStatus.Phase?

    private static let pageInterval = Duration.milliseconds(220)
    private static let lineInterval = Duration.seconds(5)

    init(context: CommandContext, loop: EventLoop, status: @escaping () -> TopologyStatus) {
        self.context = context
        self.loop = loop
        self.status = status
        if !context.output.isChatty {
            self.mode = .silent
        } else {
            self.mode = context.terminal.isInteractive ? .page : .lines
        }
    }

    /// Starts to show; `refresh` is called before each time, to bring slow counts up to date.
    func start(_ refresh: @escaping () -> Void) {
        self.refresh = refresh
        guard self.mode != .silent else { return }
        if self.mode == .page { self.draw() }
        self.arm()
    }

    /// Something happened.
    func happened(_ happening: TopologyStatus.Happening) {
        guard self.mode == .lines else { return }
        self.news.append(happening)
    }

    /// Shows how it ended; what is on the screen stays there as text.
    func stop() {
        if let timer = self.timer { self.loop.cancel(timer) }
        self.timer = nil
        let isShown = self.mode == .lines && self.shownPhase == .ended && self.news.isEmpty
        if self.mode != .silent, !isShown { self.draw() }
    }

    private func arm() {
        let interval = self.mode == .page ? Self.pageInterval : Self.lineInterval
        self.timer = self.loop.timer(at: self.loop.now() + interval) { [weak self] in
            guard let self else { return }
            self.timer = nil
            self.refresh()
            self.draw()
            self.arm()
        }
    }

    private func draw() {
        let status = self.status()
        self.shownPhase = status.phase
        let terminal = self.context.terminal
        guard self.mode == .page else {
            terminal.write(LiveTable.progress(status, news: Array(self.news.suffix(4))))
            self.news = []
            return
        }
        let size = terminal.size
        let table = LiveTable(width: size.columns - 1, style: terminal.style)
        var lines = table.lines(of: status)
        if status.phase == .running {
            lines.append("")
            lines.append(
                terminal.style.dim(
                    String(
                        "Ctrl-C drains and judges · in a second terminal: squall kill payments"
                            .prefix(size.columns - 1)
                    )
                )
            )
        }
        terminal.writeRaw(self.page.redrawn(lines, rows: size.rows))
    }
}
