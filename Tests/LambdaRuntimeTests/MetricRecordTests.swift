import Testing
import Timekeeping

@testable import LambdaRuntime

@Suite struct MetricRecordTests {
    @Test("A record is one line of JSON in the embedded metric format")
    func line() {
        var record = MetricRecord(
            namespace: "StackCert", dimensions: [("FunctionName", "renewal"), ("Reason", "No\"Role")])
        record.add("RenewalsFailed", 2)
        record.add("DaysToNearestExpiry", -3, .none)
        #expect(
            String(decoding: record.line(at: UnixInstant(milliseconds: 1_800_000_000_042)), as: UTF8.self)
                == ##"{"_aws":{"Timestamp":1800000000042,"CloudWatchMetrics":[{"Namespace":"StackCert","Dimensions":[["FunctionName","Reason"]],"Metrics":[{"Name":"RenewalsFailed","Unit":"Count"},{"Name":"DaysToNearestExpiry","Unit":"None"}]}]},"FunctionName":"renewal","Reason":"No\"Role","RenewalsFailed":2,"DaysToNearestExpiry":-3}"##
                + "\n")
    }
}
