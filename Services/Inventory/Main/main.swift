import InventoryService
import ServiceMain

ServiceProcess.run(Inventory.self)
