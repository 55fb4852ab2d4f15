import OrdersService
import ServiceMain

ServiceProcess.run(Orders.self)
