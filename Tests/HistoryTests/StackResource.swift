import CertificateIssuance
import CertificateResources
import CustomResource
import ProviderTestSupport

/// What CloudFormation believes of one certificate of the stack.
struct StackResource: Sendable {
    let id: String
    let properties: [String: String]
    let attributes: [String: String]
    /// What a failed update tried that was not rolled back: the next update's old properties.
    var attempted: [String: String]?
    /// The properties before the last rotation.
    var earlier: [String: String]?

    var isAdopted: Bool { !id.hasPrefix("stackcert:") }

    /// What no rollback may change.
    var identity: [String: String] { attributes.filter { !$0.key.hasPrefix("Previous") } }
}

/// The properties of a template, as a history changes them.
enum TemplateProperties {
    /// Appears in no name or key, so that finding it in a log means that a property's value was logged.
    static let marker = "RotationMarker"

    static func initial(_ type: History.ResourceType, resource: Int, adopted: Bool) -> [String: String] {
        if type == .letsEncrypt {
            return [
                "AppName": resource == 0 ? "shop" : "shop-api", "AppS3Bucket": TestProvider.certificateBucket,
                "DomainNames": "shop.example.com,*.shop.example.com", "Contact": "ops@example.com",
                // Of the same names staging issues as many certificates as a history asks for.
                "Directory": "staging", "TermsOfServiceAgreed": "true", "Import": "ACM", "Rotation": "\(marker)0",
            ]
        }
        var properties = TestProvider.properties([
            "AppName": resource == 0 ? "shop" : "shop-api", "Rotation": "\(marker)0",
        ])
        if adopted {
            properties["AppS3Bucket"] = TestProvider.adoptedBucket
            properties["Rotation"] = nil
            // System A's users forced updates with properties of their own.
            properties["CacheBuster"] = "1"
        }
        return properties
    }

    /// - Parameter count: differs from change to change.
    static func change(
        _ change: Change, of resource: StackResource, _ type: History.ResourceType, count: Int
    ) -> [String: String] {
        var properties = resource.properties
        switch change {
        case .nothing: break
        case .setting: properties["RotationParameter"] = "Parameter\(count)"
        case .rotation:
            properties["Rotation"] = "\(marker)\(count)"
            properties["TrustPrevious"] = nil
        case .distrust:
            properties["Rotation"] = "\(marker)\(count)"
            properties[type == .letsEncrypt ? "RevokeOnDelete" : "TrustPrevious"] =
                type == .letsEncrypt ? "true" : "false"
        case .back: return resource.earlier ?? properties
        case .domain:
            properties[type == .letsEncrypt ? "DomainNames" : "AppDomain"] = "shop\(count).example.com"
        case .appName: properties["AppName"] = "\(properties["AppName"] ?? "shop")-\(count)"
        }
        return properties
    }

    /// The id that the provider has to give; nil when the properties are against a rule.
    static func physicalID(
        _ properties: [String: String], _ type: History.ResourceType, logicalID: String
    ) -> String? {
        let bag = PropertyBag(properties.mapValues { .string($0) })
        let owner = CertificateOwner(
            stackID: StackEvent.stackID, stackGUID: StackEvent.stackGUID, logicalResourceID: logicalID)
        if type == .letsEncrypt {
            guard
                let checked = try? LetsEncryptCertificateProperties(
                    bag, defaults: LetsEncryptAssembly.defaults, account: StackEvent.account)
            else { return nil }
            return PhysicalResourceID.certificate(CertificateAddress(checked.definition, of: owner)).text
        }
        let defaults = ProviderDefaults(
            buckets: [TestProvider.certificateBucket, TestProvider.adoptedBucket], stableS3Key: false)
        guard let checked = try? BackendCertificateProperties(bag, defaults: defaults) else { return nil }
        return PhysicalResourceID.certificate(CertificateAddress(checked.definition, of: owner)).text
    }
}
