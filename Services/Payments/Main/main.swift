import PaymentsService
import ServiceMain

ServiceProcess.run(Payments.self)
