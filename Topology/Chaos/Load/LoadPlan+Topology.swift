import Mesh
import TopologyFile

extension LoadPlan {
    /// Creates the plan that a topology file's `load` describes; without one, a plan of no orders.
    package init(topology: Topology) {
        self.init()
        guard let load = topology.load else {
            self.ordersMax = 0
            return
        }
        self.rate = OrderRate(perSecond: load.rate)
        self.ramp = load.ramp
        self.spike = load.spike.map { Spike(times: $0.times, at: $0.at, for: $0.lasts) }
        self.catalogue = Catalogue(products: load.products, warehouses: load.warehouses)
        self.hotProducts = load.hotProducts.map {
            HotProducts(
                sharePercent: Int($0.share.numerator * 100 / $0.share.denominator),
                count: $0.count
            )
        }
        self.customers = load.customers
        self.linesMax = load.linesMax
    }
}
