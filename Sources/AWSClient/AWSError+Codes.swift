extension AWSError.Code {
    // What AWS says.
    package static let accessDenied = Self(rawValue: "AccessDenied")
    package static let conditionalRequestConflict = Self(rawValue: "ConditionalRequestConflict")
    package static let internalError = Self(rawValue: "InternalError")
    package static let noSuchBucket = Self(rawValue: "NoSuchBucket")
    package static let noSuchKey = Self(rawValue: "NoSuchKey")
    package static let noSuchVersion = Self(rawValue: "NoSuchVersion")
    package static let operationAborted = Self(rawValue: "OperationAborted")
    package static let permanentRedirect = Self(rawValue: "PermanentRedirect")
    package static let preconditionFailed = Self(rawValue: "PreconditionFailed")
    package static let requestTimeTooSkewed = Self(rawValue: "RequestTimeTooSkewed")
    package static let serviceUnavailable = Self(rawValue: "ServiceUnavailable")
    package static let slowDown = Self(rawValue: "SlowDown")

    // What an answer without a body (a HEAD's) says by its status alone.
    /// 404: the key or the bucket is missing; the status does not tell which.
    package static let notFound = Self(rawValue: "NotFound")
    /// 405: the version is a delete marker.
    package static let methodNotAllowed = Self(rawValue: "MethodNotAllowed")
    package static let badRequest = Self(rawValue: "BadRequest")

    // What we say when AWS said nothing.
    /// The peer could not be reached; nothing was sent.
    package static let connectionFailed = Self(rawValue: "Client.ConnectionFailed")
    /// The answer was lost.
    package static let connectionLost = Self(rawValue: "Client.ConnectionLost")
    /// The answer did not come before the deadline.
    package static let timedOut = Self(rawValue: "Client.TimedOut")
    /// The answer is not what the protocol says, or larger than allowed.
    package static let invalidResponse = Self(rawValue: "Client.InvalidResponse")
    /// No source of credentials is set up.
    package static let noCredentials = Self(rawValue: "Client.NoCredentials")
    /// A source of credentials is set up, and did not give any.
    package static let credentialsUnavailable = Self(rawValue: "Client.CredentialsUnavailable")
    /// Region, endpoint or a profile is missing or malformed.
    package static let invalidConfiguration = Self(rawValue: "Client.InvalidConfiguration")
    /// The caller asked for what AWS would refuse; nothing was sent.
    package static let invalidRequest = Self(rawValue: "Client.InvalidRequest")
    /// A listing is longer than the caller allowed.
    package static let tooManyResults = Self(rawValue: "Client.TooManyResults")
}

extension AWSError {
    /// True when the object, its version or its bucket is not there. Never true for AccessDenied: without
    /// s3:ListBucket S3 answers so for a missing key as well, and a surviving key must not be taken for a deleted one.
    package var isMissing: Bool {
        [.noSuchKey, .noSuchVersion, .noSuchBucket, .notFound].contains(code)
    }

    /// True when the same call may succeed later.
    package var isRetryable: Bool {
        if isThrottling || AWSError.transientCodes.contains(code) { return true }
        guard let httpStatus else { return false }
        return [429, 500, 502, 503, 504].contains(httpStatus)
    }

    /// True when AWS asks for fewer calls.
    package var isThrottling: Bool {
        httpStatus == 429 || AWSError.throttlingCodes.contains(code.rawValue)
    }

    private static let transientCodes: Set<Code> = [
        .connectionFailed, .connectionLost, .timedOut, .internalError, .serviceUnavailable,
        // Another conditional write of the same key is under way.
        .conditionalRequestConflict,
        // Another operation on the bucket is under way.
        .operationAborted,
        Code(rawValue: "RequestTimeout"), Code(rawValue: "RequestTimeoutException"),
        // STS cannot reach the identity provider.
        Code(rawValue: "IDPCommunicationError"),
    ]

    /// Source: botocore, `retries/standard.py`.
    private static let throttlingCodes: Set<String> = [
        "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
        "TooManyRequestsException", "TransactionInProgressException",
    ]

    /// True when the signature's time, not its key, was refused.
    var isClockSkew: Bool {
        ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "SignatureDoesNotMatch", "AuthFailure"]
            .contains(code.rawValue) || (httpStatus == 403 && code == .accessDenied)
    }
}
