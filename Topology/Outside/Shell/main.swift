import MeshSocket

do {
    let loop = try EventLoop()
    let launch = try OutsideLaunch()
    try launch.open(on: loop)
    try Lifeline.watch(on: loop)
    OutsideReport.ready()
    ProgramCode.releaseSoon(on: loop)
    try loop.run()
} catch {
    OutsideReport.fatal("\(error)", code: error is OutsideLaunchError ? 2 : 3)
}
