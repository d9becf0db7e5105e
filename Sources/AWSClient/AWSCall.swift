internal import Diagnostics
internal import HTTPTypes

/// A service, by the name in its signatures and its host names.
struct AWSService: Hashable, Sendable {
    let signingName: String
    /// As people write it.
    let name: String
    /// Its own endpoint's variable in the environment is `AWS_ENDPOINT_URL_` and this.
    let variableName: String
    /// One endpoint for the whole partition, and signatures that name the partition's home region.
    let isGlobal: Bool

    private init(_ signingName: String, name: String? = nil, variableName: String? = nil, isGlobal: Bool = false) {
        self.signingName = signingName
        self.name = name ?? signingName.uppercased()
        self.variableName = variableName ?? signingName.uppercased()
        self.isGlobal = isGlobal
    }

    static let acm = AWSService("acm")
    static let cloudFormation = AWSService("cloudformation", name: "CloudFormation")
    static let iam = AWSService("iam", isGlobal: true)
    static let route53 = AWSService("route53", name: "Route 53", variableName: "ROUTE_53", isGlobal: true)
    static let s3 = AWSService("s3")
    static let sns = AWSService("sns")
    static let ssm = AWSService("ssm")
    static let sts = AWSService("sts")

    static let all: [AWSService] = [.acm, .cloudFormation, .iam, .route53, .s3, .sns, .ssm, .sts]
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
    /// What must not be shown should the service repeat it in its refusal.
    var secrets: [Redacted<String>] = []
}
