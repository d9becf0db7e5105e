internal import HTTPTypes

/// A service, by the name in its signatures and its host names.
struct AWSService: Hashable, Sendable {
    let signingName: String
    /// One endpoint for the whole partition, and signatures that name the partition's home region.
    var isGlobal = false

    /// As people write it.
    var name: String { self == .cloudFormation ? "CloudFormation" : signingName.uppercased() }

    static let cloudFormation = AWSService(signingName: "cloudformation")
    static let s3 = AWSService(signingName: "s3")
    static let sns = AWSService(signingName: "sns")
    static let sts = AWSService(signingName: "sts")
}

/// One operation, before it has a time, a signature and a place to go.
struct AWSCall: Sendable {
    let service: AWSService
    /// As AWS's API reference names it.
    let operation: String
    let method: HTTPRequest.Method
    /// Goes before the endpoint's host, with its dot: a bucket's name.
    var hostPrefix = ""
    /// Percent-encoded, from `/` on.
    var path = "/"
    /// Not encoded yet; a nil value is a name alone.
    var query: [(name: String, value: String?)] = []
    var fields = HTTPFields()
    var body: [UInt8] = []
    /// True when a success's body is somebody's data: it is then never searched for an error.
    var answersWithData = false
}
