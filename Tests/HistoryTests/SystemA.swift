import CertificateIssuance
import CustomResource
import PKI
import ProviderTestSupport
import TestSupport
import Timekeeping

/// The stack as system A's function left it: an object of its own name, and a log stream's name as the id.
enum SystemA {
    static func makeResources(_ adoption: Adoption, in model: StackModel) async {
        let world = model.world
        let properties = TemplateProperties.initial(.elbBackend, resource: 0, adopted: true)
        do {
            let definition = CertificateDefinition(
                appDomain: try DomainName("shop.example.com"), appName: "shop", bucket: TestProvider.adoptedBucket,
                keyAlgorithm: .ecP256, validityDays: 3650, subjectAlternativeNames: [], rotation: nil)
            let owner = CertificateOwner(
                stackID: StackEvent.stackID, stackGUID: StackEvent.stackGUID,
                logicalResourceID: StackModel.logicalID(0))
            let bundle = try await SelfSignedIssuer(clock: world.clock)
                .issue(definition, generation: Generation(definition, of: owner))
            let body = adoption.isUnreadable ? Array("garbage".utf8) : exposed(try bundle.encoded())
            let key = CertificateAddress.stableKey(appName: "shop")
            let network = InterceptedNetwork(
                peers: world.peers, clock: world.clock, endsAt: world.clock.now.advanced(by: .seconds(9)),
                plan: { _ in nil }, observe: { _, _ in })
            try await ProviderAssembly(network: network, clock: world.clock, stableS3Key: false)
                .put(body, bucket: TestProvider.adoptedBucket, key: key, deadline: .init(seconds: 2_000_000_000))
            // A key that cannot be read is trusted no longer.
            let attributes =
                ["CertificateS3Key": key]
                .merging(adoption.isUnreadable ? [:] : ["PublicKey": bundle.keyPair.publicKey.base64]) { $1 }
            for resource in adoption.isShared ? [0, 1] : [0] {
                let id = physicalID(adoption.logStream, resource: resource)
                model.resources[resource] = StackResource(id: id, properties: properties, attributes: attributes)
                let event = StackEvent(
                    .create, requestID: "a", issuedAt: world.clock.now, properties: properties)
                let version = world.s3.storedVersions(bucket: TestProvider.adoptedBucket).first?.versionID
                world.ledger.hold(
                    id,
                    Ledger.Held(
                        event: event, bucket: TestProvider.adoptedBucket, key: key, versionID: version, body: body))
            }
        } catch {
            world.ledger.report(.succeeds, "system A's object could not be made: \(error)")
        }
    }

    /// Two resources have two log streams.
    private static func physicalID(_ form: Adoption.LogStream, resource: Int) -> String {
        form.rawValue.replacing("0123456789abcdef0123456789", with: "\(resource)123456789abcdef0123456789")
    }
}
