import MeshSocket

do {
    let loop = try EventLoop()
    let process = try AdapterProcess(loop: loop, launch: try AdapterLaunch())
    try process.run()
} catch {
    AdapterReport.fatal("\(error)", code: 3)
}
