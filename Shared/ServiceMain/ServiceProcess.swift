import Glibc
import Mesh
import MeshSocket
public import ServiceKit

/// The process of one instance of a service: what its `main.swift` calls.
///
/// ```swift
/// import PaymentsService
/// import ServiceMain
///
/// ServiceProcess.run(Payments.self)
/// ```
///
/// The launcher says by environment who the process is (`SQUALL_INSTANCE`, `SQUALL_TOKEN`,
/// `SQUALL_FLAWS`), starts it in the run folder, and holds the other end of its standard input:
/// when that closes, the launcher is gone and the process ends.
public enum ServiceProcess {
    /// Runs the service until it is told to stop; never returns.
    public static func run<S: Service>(_ service: S.Type) -> Never {
        do {
            let loop = try EventLoop()
            let environment = Environment()
            let world = ProcessWorld(loop: loop, environment: environment)
            let runtime = ServiceRuntime<S>(
                world: world,
                instance: environment["SQUALL_INSTANCE"] ?? "\(S.name)-1",
                token: environment["SQUALL_TOKEN"] ?? ""
            )
            world.onConnected = { runtime.connected() }
            world.onDisconnected = { runtime.disconnected() }
            world.onFrame = { frame throws(WireError) in try runtime.received(frame) }
            try loop.onSignals([SIGTERM, SIGINT]) { _ in
                runtime.drain()
                world.leave()
            }
            try Lifeline.watch(on: loop)
            world.connect()
            ProgramCode.releaseSoon(on: loop)
            try loop.run()
            exit(0)
        } catch {
            Console.error("\(S.name): \(error)")
            exit(3)
        }
    }
}

/// The variables that the launcher set.
struct Environment {
    subscript(name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}

/// Writes whole lines to standard error, which the launcher keeps in the instance's log.
enum Console {
    static func error(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { bytes in _ = write(2, bytes.baseAddress, bytes.count) }
    }
}
