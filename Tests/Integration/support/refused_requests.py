"""Requests that the policies of provider.yml refuse, by the statement that would let them through if it were wider."""

from __future__ import annotations

STRANGERS = "000011112222"

# A request: who, action, resource, condition keys. Words in braces are filled in from the provider.
Request = tuple[str, str, str, dict[str, str]]
BUNDLE, COPY, ELSE = "backend-certificate/x", "backend-certificate-x.json", "acme/account.json"
ISSUED = "lets-encrypt/x"
GOOD_PUT = {"s3:x-amz-server-side-encryption-aws-kms-key-id": "{key}", "s3:if-none-match": "*"}
PLAIN = {"aws:securetransport": "false"}


def bucket(name: str = "") -> str:
    return "arn:aws:s3:::{bucket}" + (f"/{name}" if name else "")


def state(name: str = "") -> str:
    return "arn:aws:s3:::{state}" + (f"/{name}" if name else "")


def through_s3(object_arn: str) -> dict[str, str]:
    return {"kms:viaservice": "s3.{region}.amazonaws.com", "kms:encryptioncontext:aws:s3:arn": object_arn}


def directly(object_arn: str) -> dict[str, str]:
    return {"kms:encryptioncontext:aws:s3:arn": object_arn}


REFUSED: dict[str, list[Request]] = {
    "FunctionPolicy/KeepBundles": [("function", "s3:GetObject", bucket(ELSE), {})],
    "FunctionPolicy/KeepStableCopies": [("function", "s3:GetObjectVersion", bucket(BUNDLE), {})],
    "FunctionPolicy/TellAbsentBundlesFromForbidden": [
        ("function", "s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3:prefix": BUNDLE}),
        ("function", "s3:ListBucket", bucket(), {"s3:prefix": ELSE}),
        ("function", "s3:ListBucketVersions", bucket(), {"s3:prefix": ELSE}),
    ],
    "FunctionPolicy/AskWhetherVersionsAreKept": [
        ("function", "s3:GetBucketVersioning", "arn:aws:s3:::another-bucket", {}),
        ("function", "s3:PutBucketVersioning", bucket(), {}),
    ],
    "FunctionPolicy/EncryptBundles": [
        ("function", "kms:GenerateDataKey", "{other key}", through_s3(bucket(BUNDLE))),
        ("function", "kms:GenerateDataKey", "{key}", through_s3(state("records/x"))),
    ],
    "FunctionPolicy/KeepRecords": [("function", "s3:GetObject", state("orders/x"), {})],
    "FunctionPolicy/KeepActions": [("function", "s3:PutObject", state("orders/x"), {})],
    "FunctionPolicy/KeepTombstones": [("function", "s3:PutObject", state("locks/x"), {})],
    "FunctionPolicy/TellAbsentFactsFromForbidden": [
        ("function", "s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3:prefix": "records/x"}),
        ("function", "s3:ListBucket", state(), {"s3:prefix": "actions/"}),
    ],
    "FunctionPolicy/AskHowStacksAreDeployed": [
        ("function", "cloudformation:DescribeStacks", "arn:aws:cloudformation:elsewhere:{account}:stack/x/1", {}),
    ],
    "FunctionPolicy/WriteLogs": [
        ("function", "logs:PutLogEvents", "arn:aws:logs:{region}:{account}:log-group:another:*", {}),
    ],
    "FunctionPolicy/HandOverUnansweredEvents": [
        ("function", "sqs:SendMessage", "arn:aws:sqs:{region}:{account}:another", {}),
    ],
    "RenewalPolicy/FindWhatIsDue": [
        ("renewal", "s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3:prefix": "actions/x"}),
        ("renewal", "s3:ListBucket", state(), {"s3:prefix": "orders/"}),
    ],
    "RenewalPolicy/ReadWhatServersSay": [("renewal", "s3:GetObject", state("tombstones/x"), {})],
    "RenewalPolicy/ReadAndMendRecords": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/MendMarkers": [("renewal", "s3:DeleteObject", state("tombstones/x"), {})],
    "RenewalPolicy/RememberRenewals": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/WatchWhatWasRenewed": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/RememberWhatAuthoritiesSay": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/RememberWhatWasTakenBack": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/RememberTheSweep": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    # What an earlier system left has no encryption, and a bundle's content needs the key.
    "RenewalPolicy/LookAtBundlesFromOutside": [
        ("renewal", "s3:GetObject", bucket(ELSE), {}),
        ("renewal", "kms:Decrypt", "{key}", through_s3(bucket(ISSUED))),
        ("renewal", "s3:GetObject", bucket(COPY), {}),
        ("renewal", "s3:GetObjectVersion", bucket(BUNDLE), {}),
        ("renewal", "kms:Decrypt", "{key}", through_s3(bucket(BUNDLE))),
    ],
    "RenewalPolicy/ListBundles": [
        ("renewal", "s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3:prefix": "backend-certificate/"}),
        ("renewal", "s3:ListBucket", bucket(), {"s3:prefix": "backend-certificate-"}),
        ("renewal", "s3:ListBucket", bucket(), {"s3:prefix": "acme/"}),
    ],
    # No narrower resource exists.
    "RenewalPolicy/FindTheStackOfABundle": [],
    "RenewalPolicy/LookAtStacks": [
        ("renewal", "cloudformation:DescribeStacks", "arn:aws:cloudformation:elsewhere:{account}:stack/x/1", {}),
    ],
    "RenewalPolicy/UpdateStacks": [
        (
            "renewal",
            "cloudformation:ExecuteChangeSet",
            "arn:aws:cloudformation:elsewhere:{account}:stack/x/1",
            {"cloudformation:changesetname": "stackcert-x"},
        ),
        (
            "renewal",
            "cloudformation:ExecuteChangeSet",
            "arn:aws:cloudformation:{region}:{account}:stack/x/1",
            {"cloudformation:changesetname": "somebody-elses"},
        ),
        *(
            (
                "renewal",
                "cloudformation:CreateChangeSet",
                "arn:aws:cloudformation:{region}:{account}:stack/x/1",
                {"cloudformation:changesetname": "stackcert-x", f"cloudformation:{key}": "another"},
            )
            for key in ("rolearn", "templateurl", "stackpolicyurl")
        ),
    ],
    "RenewalPolicy/ActInOtherAccounts": [
        ("renewal", "sts:AssumeRole", "arn:aws:iam::{abroad}:role/administrator", {"aws:resourceaccount": "{abroad}"}),
        (
            "renewal",
            "sts:AssumeRole",
            f"arn:aws:iam::{STRANGERS}:role/stackcert-renewal",
            {"aws:resourceaccount": STRANGERS},
        ),
    ],
    "RenewalPolicy/TransformTemplates": [
        ("renewal", "cloudformation:CreateChangeSet", "arn:aws:cloudformation:elsewhere:aws:transform/X", {}),
        ("renewal", "cloudformation:CreateChangeSet", "arn:aws:cloudformation:elsewhere:{account}:transform/X", {}),
    ],
    "RenewalPolicy/LookUpRotations": [
        ("renewal", "ssm:GetParameters", "arn:aws:ssm:{region}:{account}:parameter/shop/rotation", {}),
    ],
    "RenewalPolicy/LookUpParameters": [
        ("renewal", "ssm:GetParameters", "arn:aws:ssm:{region}:{account}:parameter/shop/rotation", {}),
    ],
    "RenewalPolicy/RotateInParameterStore": [
        ("renewal", "ssm:PutParameter", "arn:aws:ssm:{region}:{account}:parameter/shop/rotation", {}),
    ],
    "RenewalPolicy/WriteLogs": [
        ("renewal", "logs:PutLogEvents", "arn:aws:logs:{region}:{account}:log-group:another:*", {}),
    ],
    "RenewalPolicy/TellWhoeverIsOnCall": [
        ("renewal", "sns:Publish", "arn:aws:sns:{region}:{account}:another", {}),
    ],
    "CertificateKey/FunctionEncrypts": [
        ("intruder", "kms:GenerateDataKey", "{key}", through_s3(bucket(BUNDLE))),
        ("function", "kms:GenerateDataKey", "{key}", directly(bucket(BUNDLE))),
    ],
    "CertificateKey/ApplicationsDecrypt": [
        ("intruder", "kms:Decrypt", "{key}", through_s3(bucket(BUNDLE))),
        ("server", "kms:Decrypt", "{key}", directly(bucket(BUNDLE))),
        ("server", "kms:Decrypt", "{key}", through_s3(bucket(ELSE))),
    ],
    "CertificateKey/LetsEncryptUses": [
        ("intruder", "kms:Decrypt", "{key}", through_s3(bucket(ISSUED))),
        ("server", "kms:Decrypt", "{key}", through_s3(bucket(ELSE))),
        ("issuer", "kms:GenerateDataKey", "{key}", directly(bucket(ISSUED))),
        ("issuer", "kms:Decrypt", "{key}", through_s3(bucket(BUNDLE))),
    ],
    "CertificateKey/BreakGlassDecrypts": [
        ("intruder", "kms:Decrypt", "{key}", through_s3(bucket(ELSE))),
        ("break-glass", "kms:Decrypt", "{key}", directly(bucket(ELSE))),
    ],
    "CertificateKey/AdoptedRolesDecryptStableCopies": [
        ("intruder", "kms:Decrypt", "{key}", through_s3(bucket(COPY))),
        ("adopted", "kms:Decrypt", "{key}", directly(bucket(COPY))),
        ("adopted", "kms:Decrypt", "{key}", through_s3(bucket(BUNDLE))),
        ("adopted abroad", "kms:Decrypt", "{key}", through_s3(bucket(COPY))),
    ],
    "CertificateBucketPolicy/OnlyOverTls": [
        ("break-glass", "s3:PutObject", bucket(BUNDLE), {**GOOD_PUT, **PLAIN}),
        ("break-glass", "s3:GetObject", bucket(BUNDLE), PLAIN),
        ("break-glass", "s3:GetObjectVersion", bucket(BUNDLE), PLAIN),
        ("break-glass", "s3:DeleteObject", bucket(BUNDLE), PLAIN),
        ("break-glass", "s3:DeleteObjectVersion", bucket(BUNDLE), PLAIN),
        # Whoever looks after the bucket does it over TLS as well.
        ("intruder", "s3:ListBucket", bucket(), PLAIN),
        ("intruder", "s3:PutBucketPolicy", bucket(), PLAIN),
    ],
    "CertificateBucketPolicy/OnlyUnderTheKey": [
        ("break-glass", "s3:PutObject", bucket(COPY), {}),
        (
            "break-glass",
            "s3:PutObject",
            bucket(COPY),
            {"s3:x-amz-server-side-encryption-aws-kms-key-id": "{other key}"},
        ),
    ],
    "CertificateBucketPolicy/OnlyOnce": [
        ("break-glass", "s3:PutObject", bucket(BUNDLE), {k: v for k, v in GOOD_PUT.items() if "none-match" not in k}),
        ("issuer", "s3:PutObject", bucket(ISSUED), {k: v for k, v in GOOD_PUT.items() if "none-match" not in k}),
    ],
    "CertificateBucketPolicy/OnlyServersRead": [
        ("intruder", "s3:GetObject", bucket(BUNDLE), {}),
        ("intruder", "s3:GetObjectVersion", bucket(BUNDLE), {}),
    ],
    "CertificateBucketPolicy/OnlyTheFunctionWrites": [
        ("server", "s3:PutObject", bucket(BUNDLE), GOOD_PUT),
        ("server", "s3:DeleteObject", bucket(BUNDLE), {}),
        ("server", "s3:DeleteObjectVersion", bucket(BUNDLE), {}),
        ("issuer", "s3:PutObject", bucket(BUNDLE), GOOD_PUT),
        ("issuer", "s3:PutObject", bucket(COPY), GOOD_PUT),
    ],
    "CertificateBucketPolicy/OnlyLetsEncryptWrites": [
        ("server", "s3:PutObject", bucket(ISSUED), GOOD_PUT),
        ("server", "s3:DeleteObject", bucket(ISSUED), {}),
        ("server", "s3:DeleteObjectVersion", bucket(ISSUED), {}),
        ("intruder", "s3:PutObject", bucket(ELSE), GOOD_PUT),
    ],
    "StateBucketPolicy/OnlyOverTls": [
        ("break-glass", "s3:PutObject", state("records/x"), PLAIN),
        ("break-glass", "s3:GetObject", state("records/x"), PLAIN),
        ("break-glass", "s3:DeleteObject", state("records/x"), PLAIN),
        ("intruder", "s3:ListBucket", state(), PLAIN),
    ],
    "StateBucketPolicy/OnlyTheFunctionWrites": [
        ("intruder", "s3:PutObject", state("records/x"), {}),
        ("intruder", "s3:DeleteObject", state("records/x"), {}),
        ("server", "s3:PutObject", state("records/x"), {}),
    ],
    "StateBucketPolicy/OnlyServersSayWhatTheyServe": [
        ("intruder", "s3:PutObject", state("acknowledgements/x"), {}),
        ("intruder", "s3:DeleteObject", state("acknowledgements/x"), {}),
    ],
    "FailureQueuePolicy/NobodyElseReads": [("intruder", "sqs:ReceiveMessage", "{queue}", {})],
    "AuditBucketPolicy/OnlyOverTls": [
        ("intruder", "s3:GetObject", "arn:aws:s3:::{audit}/AWSLogs/x", PLAIN),
        ("intruder", "s3:ListBucket", "arn:aws:s3:::{audit}", PLAIN),
    ],
    "AuditBucketPolicy/CloudTrailLooks": [
        ("cloudtrail", "s3:GetBucketAcl", "arn:aws:s3:::{audit}", {"aws:sourcearn": "{another trail}"}),
    ],
    "AuditBucketPolicy/CloudTrailWrites": [
        (
            "cloudtrail",
            "s3:PutObject",
            "arn:aws:s3:::{audit}/AWSLogs/{account}/x",
            {"aws:sourcearn": "{another trail}"},
        ),
        ("cloudtrail", "s3:PutObject", "arn:aws:s3:::{audit}/elsewhere", {"aws:sourcearn": "{trail}"}),
    ],
}
