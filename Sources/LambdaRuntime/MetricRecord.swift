package import Timekeeping

/// One line in CloudWatch's embedded metric format: CloudWatch makes metrics of it, without a call of ours.
///
/// Source: CloudWatch User Guide, "Specification: Embedded metric format".
package struct MetricRecord: Sendable {
    package enum Unit: String, Sendable {
        case count = "Count"
        /// CloudWatch knows no days.
        case none = "None"
    }

    private let namespace: String
    private let dimensions: [(name: String, value: String)]
    private var metrics: [(name: String, unit: Unit, value: Int)] = []

    /// - Parameter dimensions: at most 30; a metric is told from another of its name by them.
    package init(namespace: String, dimensions: [(name: String, value: String)]) {
        self.namespace = namespace
        self.dimensions = dimensions
    }

    /// At most 100 in one record.
    package mutating func add(_ name: String, _ value: Int, _ unit: Unit = .count) {
        metrics.append((name, unit, value))
    }

    /// Writes the line to standard output.
    package func emit(at now: UnixInstant) {
        StandardOutput.write(line(at: now))
    }

    func line(at now: UnixInstant) -> [UInt8] {
        var line = JSONText()
        line.raw("{\"_aws\":{\"Timestamp\":")
        line.number(Int(now.milliseconds))
        line.raw(",\"CloudWatchMetrics\":[{")
        line.member("Namespace", namespace)
        line.raw(",\"Dimensions\":[[")
        line.list(dimensions) { line, dimension in line.string(dimension.name) }
        line.raw("]],\"Metrics\":[")
        line.list(metrics) { line, metric in
            line.raw("{")
            line.member("Name", metric.name)
            line.raw(",")
            line.member("Unit", metric.unit.rawValue)
            line.raw("}")
        }
        line.raw("]}]}")
        for dimension in dimensions {
            line.raw(",")
            line.member(dimension.name, dimension.value)
        }
        for metric in metrics {
            line.raw(",")
            line.string(metric.name)
            line.raw(":")
            line.number(metric.value)
        }
        line.raw("}\n")
        return line.bytes
    }
}

extension JSONText {
    fileprivate mutating func list<Element>(_ elements: [Element], _ write: (inout JSONText, Element) -> Void) {
        for (index, element) in elements.enumerated() {
            if index > 0 { raw(",") }
            write(&self, element)
        }
    }
}
