import AnalyticsService
import ServiceMain

ServiceProcess.run(Analytics.self)
