internal import AWSClient

/// Resources that hold what cannot be made again. A replacement is an empty one, and the old one is deleted unless its
/// UpdateReplacePolicy says otherwise: no renewal does that, whatever the change follows from.
enum StatefulResources {
    /// All types of these services hold data, or a name or a key that other data depends on.
    private static let services: Set<String> = [
        "AWS::Cassandra", "AWS::Cognito", "AWS::DAX", "AWS::DocDB", "AWS::DocDBElastic", "AWS::DynamoDB", "AWS::ECR",
        "AWS::EFS", "AWS::ElastiCache", "AWS::Elasticsearch", "AWS::FSx", "AWS::KMS", "AWS::Kinesis", "AWS::MSK",
        "AWS::MemoryDB", "AWS::Neptune", "AWS::OpenSearchServerless", "AWS::OpenSearchService", "AWS::QLDB", "AWS::RDS",
        "AWS::Redshift", "AWS::RedshiftServerless", "AWS::SQS", "AWS::SecretsManager", "AWS::Timestream",
    ]

    /// Of services whose other types hold nothing.
    private static let types: Set<String> = [
        "AWS::AmazonMQ::Broker", "AWS::Backup::BackupVault", "AWS::EC2::Volume", "AWS::Logs::LogGroup",
        "AWS::S3::Bucket", "AWS::S3Express::DirectoryBucket", "AWS::S3Tables::TableBucket",
    ]

    static func contains(_ type: String) -> Bool {
        let parts = type.split(separator: "::")
        return types.contains(type) || services.contains(parts.prefix(2).joined(separator: "::"))
    }
}

extension CloudFormation.ResourceChange {
    /// Whether data would be lost, or might be.
    var losesState: Bool {
        ["True", "Conditional"].contains(replacement) && StatefulResources.contains(resourceType)
    }
}
