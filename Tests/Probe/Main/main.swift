import ProbeService
import ServiceMain

ServiceProcess.run(Probe.self)
