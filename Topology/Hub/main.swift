import MeshSocket

do {
    let launch = try HubLaunch()
    let loop = try EventLoop()
    let process = try HubProcess(loop: loop, launch: launch)
    try Lifeline.watch(on: loop)
    ProgramCode.releaseSoon(on: loop)
    try process.run()
} catch {
    Report.fatal("\(error)", code: 3)
}
