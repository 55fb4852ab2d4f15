import NotificationsService
import ServiceMain

ServiceProcess.run(Notifications.self)
