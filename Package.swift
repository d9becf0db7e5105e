// swift-tools-version: 6.2
import PackageDescription

/// One set of settings for every target, tests included, so that code moves between targets without surprises.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    // A newer toolchain may deprecate what we use; that must not stop anybody's build.
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let inMemoryLogging: Target.Dependency = .product(name: "InMemoryLogging", package: "swift-log")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")

let package = Package(
    name: "StackCert",
    products: [
        .executable(name: "StackCertLambda", targets: ["StackCertLambda"]),
        .executable(name: "stackcert", targets: ["StackCertCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1.git", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates.git", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-configuration.git", exact: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),

        // Only reached through the packages above. They are named because they end up in the Lambda and
        // Package.resolved is not committed: the zip's contents must follow from this file alone.
        .package(url: "https://github.com/apple/swift-algorithms.git", exact: "1.2.1"),
        .package(url: "https://github.com/apple/swift-atomics.git", exact: "1.3.0"),
        .package(url: "https://github.com/apple/swift-collections.git", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", exact: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-structured-headers.git", exact: "1.7.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-transport-services.git", exact: "1.28.0"),
        .package(url: "https://github.com/apple/swift-numerics.git", exact: "1.1.1"),
        .package(url: "https://github.com/apple/swift-service-context.git", exact: "1.5.1"),
        .package(url: "https://github.com/apple/swift-system.git", exact: "1.8.1"),
    ],
    targets: [
        // Level 0
        .target(name: "CGlibcCompat"),
        .target(name: "Diagnostics", swiftSettings: settings),
        .target(name: "Timekeeping", swiftSettings: settings),

        // Level 1: pure
        .target(
            name: "PKI",
            dependencies: ["Diagnostics", "Timekeeping", asn1, crypto, cryptoExtras, x509],
            swiftSettings: settings
        ),
        .target(
            name: "SigV4",
            dependencies: ["Diagnostics", "Timekeeping", crypto, httpTypes],
            swiftSettings: settings
        ),

        // Level 2
        .target(
            name: "HTTPTransport",
            dependencies: [
                "Diagnostics", "Timekeeping", asyncHTTPClient, httpTypes, nioCore, nioHTTP1, nioPosix, nioSSL,
            ],
            swiftSettings: settings
        ),

        // Level 3: protocols
        .target(
            name: "ACME",
            dependencies: ["Diagnostics", "HTTPTransport", "PKI", "Timekeeping", crypto, httpTypes, logging],
            swiftSettings: settings
        ),
        .target(
            name: "AWSClient",
            dependencies: ["Diagnostics", "HTTPTransport", "SigV4", "Timekeeping", crypto, httpTypes, logging],
            swiftSettings: settings
        ),
        .target(
            name: "CustomResource",
            dependencies: ["Diagnostics", "HTTPTransport", "Timekeeping", httpTypes, logging],
            swiftSettings: settings
        ),
        .target(
            name: "LambdaRuntime",
            dependencies: ["Diagnostics", "HTTPTransport", "Timekeeping", httpTypes, logging],
            swiftSettings: settings
        ),

        // Level 4
        .target(
            name: "CertificateIssuance",
            dependencies: [
                "ACME", "AWSClient", "Diagnostics", "HTTPTransport", "PKI", "Timekeeping", crypto, httpTypes, logging,
            ],
            swiftSettings: settings
        ),

        // Level 5
        .target(
            name: "CertificateAgent",
            dependencies: ["AWSClient", "CGlibcCompat", "CertificateIssuance", "Diagnostics", "PKI", "Timekeeping"],
            swiftSettings: settings
        ),
        .target(
            name: "CertificateResources",
            dependencies: [
                "ACME", "AWSClient", "CertificateIssuance", "CustomResource", "Diagnostics", "PKI", "Timekeeping",
                logging,
            ],
            swiftSettings: settings
        ),

        .target(
            name: "CertificateRenewal",
            dependencies: ["ACME", "AWSClient", "CertificateIssuance", "Diagnostics", "SigV4", "Timekeeping", logging],
            swiftSettings: settings
        ),

        // Level 6: composition roots
        .executableTarget(
            name: "StackCertCommand",
            dependencies: [
                "ACME", "AWSClient", "CGlibcCompat", "CertificateAgent", "CertificateIssuance", "CertificateRenewal",
                "Diagnostics", "HTTPTransport", "PKI", "Timekeeping", argumentParser, logging,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "StackCertLambda",
            dependencies: [
                "ACME", "AWSClient", "CGlibcCompat", "CertificateIssuance", "CertificateRenewal",
                "CertificateResources",
                "CustomResource", "Diagnostics", "HTTPTransport", "LambdaRuntime", "PKI", "Timekeeping", logging,
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: settings
        ),

        // Tests
        .target(
            name: "TestSupport",
            dependencies: [
                "AWSClient", "Diagnostics", "HTTPTransport", "PKI", "SigV4", "Timekeeping", crypto, httpTypes,
                inMemoryLogging, logging, nioCore, nioHTTP1, nioPosix, asn1, x509,
            ],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "ProviderTestSupport",
            dependencies: [
                "ACME", "AWSClient", "CertificateIssuance", "CertificateResources", "CustomResource", "Diagnostics",
                "HTTPTransport", "SigV4", "TestSupport", "Timekeeping", httpTypes, inMemoryLogging, logging,
            ],
            path: "Tests/ProviderTestSupport",
            swiftSettings: settings
        ),
        .testTarget(
            name: "DiagnosticsTests",
            dependencies: ["Diagnostics", "Timekeeping", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PKITests",
            dependencies: ["Diagnostics", "PKI", "Timekeeping", crypto, nioCore, nioPosix, nioSSL],
            exclude: ["Fixtures"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SigV4Tests",
            dependencies: ["SigV4", "TestSupport", "Timekeeping", httpTypes],
            exclude: ["Fixtures"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AWSClientTests",
            dependencies: [
                "AWSClient", "Diagnostics", "HTTPTransport", "SigV4", "TestSupport", "Timekeeping", httpTypes,
                inMemoryLogging, logging,
            ],
            exclude: ["Fixtures"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ACMETests",
            dependencies: [
                "ACME", "Diagnostics", "HTTPTransport", "TestSupport", "Timekeeping", crypto, httpTypes, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "HTTPTransportTests",
            dependencies: [
                "Diagnostics", "HTTPTransport", "TestSupport", "Timekeeping", httpTypes, logging, nioCore, nioHTTP1,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "LambdaRuntimeTests",
            dependencies: [
                "Diagnostics", "HTTPTransport", "LambdaRuntime", "TestSupport", "Timekeeping", httpTypes, logging,
                nioCore, nioHTTP1, nioPosix,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CustomResourceTests",
            dependencies: [
                "CustomResource", "Diagnostics", "HTTPTransport", "TestSupport", "Timekeeping", httpTypes,
                inMemoryLogging, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CertificateIssuanceTests",
            dependencies: [
                "ACME", "AWSClient", "CertificateIssuance", "Diagnostics", "HTTPTransport", "PKI", "TestSupport",
                "Timekeeping", httpTypes, logging,
            ],
            exclude: ["Fixtures"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CertificateRenewalTests",
            dependencies: [
                "ACME", "AWSClient", "CertificateIssuance", "CertificateRenewal", "HTTPTransport", "PKI", "SigV4",
                "TestSupport",
                "Timekeeping", httpTypes, inMemoryLogging, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StackCertCommandTests",
            dependencies: [
                "ACME", "AWSClient", "CertificateIssuance", "CertificateRenewal", "StackCertCommand", "PKI",
                "TestSupport",
                "Timekeeping",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CertificateAgentTests",
            dependencies: [
                "AWSClient", "CertificateAgent", "Diagnostics", "PKI", "TestSupport", "Timekeeping",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CertificateResourcesTests",
            dependencies: [
                "ACME", "AWSClient", "CertificateIssuance", "CertificateResources", "CustomResource", "Diagnostics",
                "HTTPTransport", "PKI", "ProviderTestSupport", "SigV4", "TestSupport", "Timekeeping", httpTypes,
                inMemoryLogging,
                logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "HistoryTests",
            dependencies: [
                "AWSClient", "CertificateIssuance", "CertificateResources", "CustomResource", "PKI",
                "ProviderTestSupport", "TestSupport", "Timekeeping", httpTypes, inMemoryLogging, logging,
            ],
            swiftSettings: settings
        ),
    ]
)
