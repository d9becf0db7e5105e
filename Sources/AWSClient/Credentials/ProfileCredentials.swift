package import HTTPTransport
package import SigV4
package import Timekeeping

/// The keys of the profile in `AWS_PROFILE` (or `default`), from the files that the AWS CLI writes: keys as they
/// stand there, or those of a role that is assumed with another profile's keys or the machine's own.
package struct ProfileCredentials: CredentialsProvider {
    private let environment: [String: String]
    private let readFile: FileReader
    private let executor: any HTTPExecutor
    private let clock: any WallClock

    package init(
        environment: [String: String], readFile: @escaping FileReader, executor: any HTTPExecutor,
        clock: any WallClock
    ) {
        self.environment = environment
        self.readFile = readFile
        self.executor = executor
        self.clock = clock
    }

    package func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
        let profiles = try SharedProfiles.load(environment: environment, readFile: readFile)
        let name = value("AWS_PROFILE") ?? "default"
        guard profiles[name] != nil || value("AWS_PROFILE") != nil else {
            throw AWSError(.noCredentials, "There is no default AWS profile.")
        }
        return try await source(of: name, in: profiles, seen: []).credentials(deadline: deadline)
    }

    /// What a profile stands for.
    ///
    /// - Parameter seen: the profiles on the way here, each of which wants to assume a role with the next one's keys.
    private func source(
        of name: String, in profiles: SharedProfiles, seen: [String]
    ) throws(AWSError) -> any CredentialsProvider {
        guard let profile = profiles[name] else {
            throw AWSError(.invalidConfiguration, "An AWS profile that is asked for is in neither file.")
        }
        // A profile may name itself: then its own keys assume its role.
        if let role = profile["role_arn"], seen.last != name {
            guard !seen.contains(name) else {
                throw AWSError(.invalidConfiguration, "AWS profiles name each other as their source.")
            }
            let caller = try callerSource(of: profile, in: profiles, seen: seen + [name])
            return try assumed(role, by: caller, profile: profile)
        }
        if let id = profile["aws_access_key_id"], let secret = profile["aws_secret_access_key"] {
            var keys = ["AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret]
            keys["AWS_SESSION_TOKEN"] = profile["aws_session_token"]
            return EnvironmentCredentials(environment: keys)
        }
        let unsupported = [
            "credential_process", "sso_session", "sso_start_url", "web_identity_token_file", "login_session",
        ]
        for setting in unsupported where profile[setting] != nil {
            throw AWSError(
                .invalidConfiguration,
                "The AWS profile uses \(setting), which is not supported here: run `aws configure export-credentials "
                    + "--format env` and set what it prints.")
        }
        if seen.isEmpty { throw AWSError(.noCredentials, "The AWS profile has no credentials.") }
        throw AWSError(.invalidConfiguration, "The AWS profile that is to assume a role has no credentials.")
    }

    private func callerSource(
        of profile: [String: String], in profiles: SharedProfiles, seen: [String]
    ) throws(AWSError) -> any CredentialsProvider {
        if let other = profile["source_profile"] {
            return try source(of: other, in: profiles, seen: seen)
        }
        switch profile["credential_source"] {
        case "Environment":
            return EnvironmentCredentials(environment: environment)
        case "EcsContainer":
            return ContainerCredentials(
                environment: environment, readFile: readFile, executor: executor, clock: clock)
        case "Ec2InstanceMetadata":
            return InstanceCredentials(environment: environment, executor: executor, clock: clock)
        default:
            throw AWSError(
                .invalidConfiguration,
                "An AWS profile with role_arn needs source_profile, or credential_source as Environment, "
                    + "EcsContainer or Ec2InstanceMetadata.")
        }
    }

    private func assumed(
        _ role: String, by caller: any CredentialsProvider, profile: [String: String]
    ) throws(AWSError) -> any CredentialsProvider {
        guard profile["mfa_serial"] == nil else {
            throw AWSError(.invalidConfiguration, "The AWS profile wants a one-time password, which nobody can give.")
        }
        var settings = environment
        if value("AWS_REGION") == nil, value("AWS_DEFAULT_REGION") == nil {
            settings["AWS_REGION"] = profile["region"]
        }
        let client = AWSServiceClient(
            configuration: try AWSConfiguration.fromEnvironment(settings), executor: executor, credentials: caller,
            clock: clock,
            // The call that wants the keys is tried again, and this one with it.
            retry: RetryPolicy(maximumAttempts: 1))
        return AssumeRoleCredentials(
            STS.Role(
                arn: role,
                // As botocore does it: a new session for each process, told apart by its start.
                sessionName: profile["role_session_name"] ?? "stackcert-\(clock.now.seconds)",
                externalID: profile["external_id"],
                duration: profile["duration_seconds"].flatMap { Int64($0) }.map { .seconds($0) } ?? .seconds(3600)),
            sts: STS(client))
    }

    private func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
}
