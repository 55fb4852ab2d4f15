import AnalyticsService
import InventoryService
import NotificationsService
import OrdersService
import PaymentsService

extension ServiceCatalogue {
    /// The services of `Services/`, which `squall` links.
    package static let linked: ServiceCatalogue = [
        .init(Orders.self),
        .init(Inventory.self),
        .init(Payments.self),
        .init(Notifications.self),
        .init(Analytics.self),
    ]
}
