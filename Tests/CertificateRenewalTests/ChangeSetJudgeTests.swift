import AWSClient
import CertificateRenewal
import Testing

/// A renewal never deploys what somebody else has changed.
@Suite struct ChangeSetJudgeTests {
    private static let judge = ChangeSetJudge(rotating: ["Certificate"], parameters: ["CertificateRotation"])

    private static func change(
        _ name: String, type: String = "AWS::EC2::LaunchTemplate", action: String = "Modify",
        replacement: String? = nil, _ details: [CloudFormation.ChangeDetail], changeSetID: String? = nil
    ) -> CloudFormation.ResourceChange {
        CloudFormation.ResourceChange(
            action: action, logicalResourceID: name, resourceType: type, replacement: replacement,
            details: details, changeSetID: changeSetID)
    }

    private static func detail(
        _ source: String, _ cause: String?, evaluation: String = "Dynamic", name: String = "Value"
    ) -> CloudFormation.ChangeDetail {
        CloudFormation.ChangeDetail(
            attribute: "Properties", name: name, evaluation: evaluation, source: source, causingEntity: cause)
    }

    private static let rotation = change(
        "Certificate", type: "Custom::ElbBackendCertificate",
        [
            detail("ParameterReference", "CertificateRotation", evaluation: "Static", name: "Rotation"),
            detail("DirectModification", nil, name: "Rotation"),
        ])

    @Test("The rotating resource, and what follows from its attributes over any number of resources, may change")
    func rotationOnly() {
        let changes = [
            Self.change("Servers", [Self.detail("ResourceAttribute", "Template.LatestVersionNumber")]),
            Self.change("Template", [Self.detail("ResourceAttribute", "Pointer.Value")]),
            Self.change("Pointer", [Self.detail("ResourceAttribute", "Certificate.CertificateS3Key")]),
            Self.rotation,
        ]
        #expect(Self.judge.objections(to: changes).isEmpty)
    }

    @Test(
        "Nothing that holds data is replaced, although that follows from the certificate",
        arguments: [
            "AWS::RDS::DBInstance", "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::EFS::FileSystem",
            "AWS::EC2::Volume",
            "AWS::ElastiCache::ReplicationGroup", "AWS::OpenSearchService::Domain", "AWS::Redshift::Cluster",
            "AWS::Neptune::DBCluster", "AWS::DocDB::DBCluster", "AWS::Cognito::UserPool", "AWS::KMS::Key",
            "AWS::SecretsManager::Secret", "AWS::ECR::Repository", "AWS::Kinesis::Stream", "AWS::SQS::Queue",
        ], ["True", "Conditional"])
    func statefulReplacement(_ type: String, _ replacement: String) {
        let follows = [Self.detail("ResourceAttribute", "Certificate.PublicKey")]
        let objections = Self.judge.objections(to: [
            Self.rotation, Self.change("Data", type: type, replacement: replacement, follows),
        ])
        #expect(objections.count == 1)
        #expect(objections.first?.hasPrefix("Data (\(type)) would be replaced") == true)
        let inPlace = Self.change("Data", type: type, replacement: "False", follows)
        #expect(Self.judge.objections(to: [Self.rotation, inPlace]).isEmpty)
    }

    @Test("Servers are replaced, as a rotation wants it")
    func serverReplacement() {
        let servers = Self.change(
            "Server", type: "AWS::EC2::Instance", replacement: "True",
            [Self.detail("ResourceAttribute", "Certificate.CertificateS3Key")])
        #expect(Self.judge.objections(to: [Self.rotation, servers]).isEmpty)
    }

    @Test(
        "Every other cause is an objection that names resource and cause",
        arguments: [
            (
                change("Servers", [detail("ParameterReference", "ImageId")]),
                "Properties.Value by ParameterReference ImageId"
            ),
            (
                change("Servers", [detail("ParameterReference", "CertificateRotation")]),
                "ParameterReference CertificateRotation"
            ),
            (change("Servers", [detail("DirectModification", nil, evaluation: "Static")]), "DirectModification"),
            (change("Servers", [detail("DirectModification", nil)]), "DirectModification"),
            (change("Servers", [detail("ResourceAttribute", "Other.Arn")]), "ResourceAttribute Other.Arn"),
            (change("Servers", [detail("ResourceAttribute", "Servers.Arn")]), "ResourceAttribute Servers.Arn"),
            (change("Servers", [detail("ResourceAttribute", nil)]), "ResourceAttribute"),
            (change("Servers", [detail("Automatic", nil)]), "Automatic"),
            (change("Servers", [detail("SomethingNew", nil)]), "SomethingNew"),
            (change("Servers", []), "without a cause"),
            (change("Servers", action: "Remove", []), "Remove"),
            (change("Servers", action: "Add", []), "Add"),
            (
                change(
                    "Servers",
                    [
                        detail("ResourceAttribute", "Certificate.PublicKey"),
                        detail("ParameterReference", "ImageId", name: "Image"),
                    ]),
                "Properties.Image by ParameterReference ImageId"
            ),
        ])
    func foreign(_ change: CloudFormation.ResourceChange, _ cause: String) throws {
        let objections = Self.judge.objections(to: [Self.rotation, change])
        #expect(objections.count == 1)
        let objection = try #require(objections.first)
        #expect(objection.hasPrefix("Servers (AWS::EC2::LaunchTemplate): \(change.action)"))
        #expect(objection.contains(cause))
    }

    @Test("What follows from a foreign change is foreign as well")
    func foreignChain() {
        let changes = [
            Self.rotation,
            Self.change("Image", [Self.detail("ParameterReference", "ImageId")]),
            Self.change("Servers", [Self.detail("ResourceReference", "Image")]),
        ]
        #expect(Self.judge.objections(to: changes).count == 2)
    }

    @Test("Two resources that follow from each other only are not excused")
    func circle() {
        let changes = [
            Self.change("One", [Self.detail("ResourceReference", "Two")]),
            Self.change("Two", [Self.detail("ResourceReference", "One")]),
        ]
        #expect(Self.judge.objections(to: changes).count == 2)
    }

    @Test("A nested stack may change when it has a change set of its own to be judged")
    func nested() {
        let stack = "AWS::CloudFormation::Stack"
        let details = [
            Self.detail("Automatic", nil), Self.detail("ParameterReference", "CertificateRotation", name: "Parameters"),
        ]
        #expect(
            Self.judge.objections(to: [Self.change("Inner", type: stack, details, changeSetID: "arn:inner")]).isEmpty)
        #expect(Self.judge.objections(to: [Self.change("Inner", type: stack, details)]).count == 1)
        // Its parameters follow from the outer stack; what it does by itself does not.
        let inner = ChangeSetJudge(rotating: ["Certificate"], parameters: nil)
        #expect(inner.objections(to: [Self.change("Servers", [Self.detail("ParameterReference", "Any")])]).isEmpty)
        #expect(inner.objections(to: [Self.change("Servers", [Self.detail("DirectModification", nil)])]).count == 1)
    }
}
