import Foundation
import Mesh
import Testing
import TopologyFile

/// Reads a file of the repository.
func repositoryFile(_ path: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: path), encoding: .utf8)
}

/// A small topology in which every kind of object is written; tests change a part of it.
let sample = """
    {
      name: "small",
      services: {
        counter: {
          executable: "Counter",
          instances: 2,
          consumes: ["orders.placed"],
          emits: ["counts"],
          restart: {policy: "on-failure", backoffMin: "10ms", backoffMax: "1s",
            crashLoop: {count: 3, within: "4s"}},
          settings: {each: 2.5, deep: [{a: null}, true, -1]},
        },
        printer: {command: ["cat", ""], consumes: ["counts"]},
      },
      topics: {
        "orders.placed": {partitions: 2, types: ["orders.placed.v1"],
          retention: {age: "2d", bytes: "1GiB"}},
        counts: {},
      },
      links: [
        {from: "shoppers", to: "counter", faults: [
          {kind: "delay", by: "20ms", jitter: "5ms", type: "orders.placed.v1", every: 3},
          {kind: "drop", chance: "1%", subject: "order-7"},
          {kind: "cut"},
        ]},
        {from: "counter", to: "printer"},
        {from: "counter", to: "bank"},
      ],
      outside: {
        shoppers: {kind: "shoppers", emits: ["orders.placed"]},
        bank: {kind: "bank", settings: {declines: "5%"},
          faults: [{kind: "slow", by: "1.5s"}, {kind: "timeout-after"}]},
      },
      load: {rate: 7, ramp: "1s", spike: {times: 10, at: "20s", for: "5s"}, products: 50,
        warehouses: 3, hotProducts: {share: {numerator: 2, denominator: 6}, count: 4},
        linesMax: 2, customers: 9},
      limits: {eventBytesMax: "64KiB", window: 8, attemptsMax: 3, backoffMin: "1ms",
        backoffMax: "2ms", connectionsMax: 99, backlogMax: 77, runsKept: 2, logBytesMax: "1MiB"},
      objectives: {orderP99: "500ms", readyWithin: "1s", servingAgainWithin: "100ms"},
      shutdown: {drainWithin: "9s", killAfter: "1s"},
      log: {segmentBytes: "1MiB"},
    }
    """

/// Returns the problems of the sample with one part of it replaced, as ``problems(of:)`` does.
func problems(replacing part: String, by replacement: String) throws -> [String] {
    try #require(sample.contains(part), "the sample has no \(part)")
    return try problems(of: sample.replacing(part, with: replacement))
}

/// Returns the problems of a topology, each as path, message and suggestion.
///
/// Problems that are not where the text has the mark `▶` are returned with their place.
func problems(of text: String) throws -> [String] {
    let before = text.prefix { $0 != "▶" }
        .split(separator: "\n", omittingEmptySubsequences: false)
    let place = "small.json:\(before.count):\((before.last?.count ?? 0) + 1): "
    do {
        _ = try Topology.parse(text.replacing("▶", with: ""), file: "small.json")
        return []
    } catch {
        return error.problems.map(\.description).map { line in
            line.hasPrefix(place) ? String(line.dropFirst(place.count)) : line
        }
    }
}
