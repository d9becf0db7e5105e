/// Where AWS is: the region, and endpoints other than the region's own.
package struct AWSConfiguration: Sendable, Hashable {
    package let region: String
    package let partition: Partition
    private var endpointURL: Endpoint?
    private var serviceEndpoints: [String: Endpoint]

    /// - Parameters:
    ///   - region: such as `eu-west-1`.
    ///   - endpointURL: an endpoint for every service instead of AWS's, such as a local cloud's.
    ///   - serviceEndpointURLs: endpoints for single services, by signing name; they win over `endpointURL`.
    /// - Throws: ``AWSError/Code/invalidConfiguration``.
    package init(
        region: String, endpointURL: String? = nil, serviceEndpointURLs: [String: String] = [:]
    ) throws(AWSError) {
        // It becomes part of host names.
        guard region.isHostLabel else {
            throw AWSError(.invalidConfiguration, "The AWS region is not one: letters, digits and hyphens are allowed.")
        }
        self.region = region
        self.partition = Partition(region: region)
        self.endpointURL = if let endpointURL { try Endpoint(url: endpointURL) } else { nil }
        var endpoints: [String: Endpoint] = [:]
        for (service, url) in serviceEndpointURLs {
            endpoints[service] = try Endpoint(url: url)
        }
        self.serviceEndpoints = endpoints
    }

    /// Reads `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ENDPOINT_URL` and, for single services, `AWS_ENDPOINT_URL_S3` and
    /// the like; `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` takes the endpoints out again.
    package static func fromEnvironment(_ environment: [String: String]) throws(AWSError) -> AWSConfiguration {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let region = value("AWS_REGION") ?? value("AWS_DEFAULT_REGION") else {
            throw AWSError(.invalidConfiguration, "No AWS region is set: set AWS_REGION.")
        }
        if value("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?.lowercased() == "true" {
            return try AWSConfiguration(region: region)
        }
        var endpoints: [String: String] = [:]
        for service in AWSService.all {
            endpoints[service.signingName] = value("AWS_ENDPOINT_URL_" + service.variableName)
        }
        return try AWSConfiguration(
            region: region, endpointURL: value("AWS_ENDPOINT_URL"), serviceEndpointURLs: endpoints)
    }

    /// The region of the profile in `AWS_PROFILE` (or `default`), from the AWS CLI's files.
    package static func profileRegion(
        _ environment: [String: String], readFile: FileReader
    ) throws(AWSError) -> String? {
        let profiles = try SharedProfiles.load(environment: environment, readFile: readFile)
        return profiles[environment["AWS_PROFILE"].flatMap { $0.isEmpty ? nil : $0 } ?? "default"]?["region"]
    }

    /// The same in another region of the partition, endpoints of one's own included.
    func inRegion(_ region: String) throws(AWSError) -> AWSConfiguration {
        var copy = try AWSConfiguration(region: region)
        copy.endpointURL = endpointURL
        copy.serviceEndpoints = serviceEndpoints
        return copy
    }

    /// Where a service answers.
    func endpoint(for service: AWSService) -> Endpoint {
        if let endpoint = serviceEndpoints[service.signingName] ?? endpointURL { return endpoint }
        let host = service.isGlobal ? partition.home(of: service).host : "\(service.signingName).\(region)"
        return Endpoint(host: "\(host).\(partition.dnsSuffix)")
    }

    /// The region that a service's signatures name.
    func signingRegion(for service: AWSService) -> String {
        service.isGlobal ? partition.home(of: service).region : region
    }
}

extension String {
    /// RFC 1123: what may stand between the dots of a host name.
    fileprivate var isHostLabel: Bool {
        (1...63).contains(utf8.count) && !hasPrefix("-") && !hasSuffix("-")
            && utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}
