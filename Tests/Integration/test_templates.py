"""The templates as texts: what a reader, a linter and a security reviewer ask of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from localcloud.engine.template import load
from support import documents, servers

STEPS = documents.STEPS


def test_cfn_lint_finds_nothing():
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, *map(documents.path, documents.NAMES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", documents.NAMES)
def test_no_action_that_is_allowed_is_a_wildcard(name):
    for where, document in documents.policies(documents.read(name)):
        for statement in documents.statements(document):
            assert "NotAction" not in statement, where
            if statement["Effect"] == "Allow":
                assert not [a for a in documents.actions(statement) if "*" in a], where


@pytest.mark.parametrize("name", documents.NAMES)
def test_no_template_holds_a_key_or_a_secret(name):
    text = documents.path(name).read_text()
    assert "BEGIN" not in text
    assert "NoEcho" not in text


def test_the_provider_asks_for_its_code_only():
    required = {k for k, v in documents.read("provider")["Parameters"].items() if "Default" not in v}
    assert required == {"CodeS3Bucket", "CodeS3Key"}


def test_the_provider_of_lets_encrypt_certificates_asks_for_its_code_only():
    declared = documents.read("lets-encrypt-provider")
    assert {k for k, v in declared["Parameters"].items() if "Default" not in v} == {"CodeS3Bucket", "CodeS3Key"}
    exported = {name for name, output in declared["Outputs"].items() if "Export" in output}
    assert exported == {"LetsEncryptProviderArn"}
    variables = declared["Resources"]["LetsEncryptFunction"]["Properties"]["Environment"]["Variables"]
    assert set(variables) == {
        "STACKCERT_CERTIFICATE_BUCKET",
        "STACKCERT_STATE_BUCKET",
        "STACKCERT_KMS_KEY_ARN",
        "STACKCERT_ALLOWED_ACCOUNTS",
        "STACKCERT_BUCKET_OWNER",
    }


def test_without_a_word_of_yours_no_zone_and_no_website_can_be_written_to():
    parameters = documents.read("lets-encrypt-provider")["Parameters"]
    assert [parameters[name]["Default"] for name in ("HostedZoneIds", "HostedZoneRoleArns", "ChallengeBuckets")] == (
        ["", "", ""]
    )


def test_orders_are_forgotten_when_they_mean_nothing_any_more():
    """An order's memory is a week: authorities count so long, and so long a deleted certificate is kept."""
    bucket = documents.read("provider")["Resources"]["CertificateBucket"]["Properties"]
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    orders = rules["forget-orders"]
    assert (orders["Prefix"], orders["ExpirationInDays"]) == ("acme/orders/", 8)
    assert orders["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_the_provider_tells_the_function_what_it_reads():
    variables = documents.read("provider")["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert set(variables) == {
        "STACKCERT_CERTIFICATE_BUCKET",
        "STACKCERT_STATE_BUCKET",
        "STACKCERT_KMS_KEY_ARN",
        "STACKCERT_ALLOWED_ACCOUNTS",
        "STACKCERT_BUCKET_OWNER",
        "STACKCERT_STABLE_S3_KEY_DEFAULT",
    }


def test_the_provider_tells_the_renewal_what_it_reads():
    variables = documents.read("provider")["Resources"]["RenewalFunction"]["Properties"]["Environment"]["Variables"]
    assert set(variables) == {
        "STACKCERT_STATE_BUCKET",
        "STACKCERT_CERTIFICATE_BUCKET",
        "STACKCERT_BUCKET_OWNER",
        "STACKCERT_ALARM_TOPIC_ARN",
        "STACKCERT_RENEWAL_WINDOW",
        "STACKCERT_RENEWAL_ROLE",
    }


def test_the_provider_exports_what_others_need():
    outputs = documents.read("provider")["Outputs"]
    exported = {name for name, output in outputs.items() if "Export" in output}
    always = {"ProviderArn", "CertificateBucketName", "StateBucketName", "CertificateKeyArn"}
    assert exported == always | {"CommandParameterName"}
    assert {name for name in exported if "Condition" in outputs[name]} == {"CommandParameterName"}


@pytest.mark.parametrize("resource", ["CertificateKey", "CertificateBucket", "StateBucket", "CertificateBucketPolicy"])
def test_what_holds_or_guards_keys_outlives_the_provider(resource):
    declared = documents.read("provider")["Resources"][resource]
    assert (declared["DeletionPolicy"], declared["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_function_cannot_decrypt():
    policy = documents.read("provider")["Resources"]["FunctionPolicy"]["Properties"]["PolicyDocument"]
    actions = [a for s in documents.statements(policy) for a in documents.actions(s)]
    assert [a for a in actions if a.startswith("kms:")] == ["kms:GenerateDataKey"]


def test_administrators_of_the_key_cannot_use_it():
    policy = documents.read("provider")["Resources"]["CertificateKey"]["Properties"]["KeyPolicy"]
    [administration] = [s for s in documents.statements(policy) if s["Sid"] == "Administration"]
    using = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt", "CreateGrant", "Sign", "Derive")
    assert not [a for a in administration["Action"] if a.startswith(tuple(f"kms:{u}" for u in using))]


def test_the_key_is_used_by_this_account_and_through_s3_only():
    policy = documents.read("provider")["Resources"]["CertificateKey"]["Properties"]["KeyPolicy"]
    uses = [s for s in documents.statements(policy) if s["Sid"] != "Administration"]
    assert {s["Sid"] for s in uses} == {
        "FunctionEncrypts",
        "ApplicationsDecrypt",
        "LetsEncryptUses",
        "BreakGlassDecrypts",
        "AdoptedRolesDecryptStableCopies",
    }
    for statement in uses:
        assert set(statement["Condition"]["StringEquals"]) == {"kms:CallerAccount", "kms:ViaService"}


def test_break_glass_is_one_role_with_its_path():
    pattern = re.compile(documents.read("provider")["Parameters"]["BreakGlassRoleArn"]["AllowedPattern"])
    path = "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Emergency_0123456789abcdef"
    for fine in ("", f"arn:aws:iam::123456789012:role/{path}", "arn:aws-us-gov:iam::123456789012:role/on-call"):
        assert pattern.fullmatch(fine), fine
    session = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Emergency_0123456789abcdef/jane"
    for wrong in (session, "arn:aws:iam::123456789012:role/*", "on-call", "arn:aws:iam::123456789012:user/jane"):
        assert not pattern.fullmatch(wrong), wrong


def test_the_buckets_are_closed():
    resources = documents.read("provider")["Resources"]
    for name in ("CertificateBucket", "StateBucket", "AuditBucket"):
        properties = resources[name]["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], name
    [encryption] = resources["CertificateBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["BucketKeyEnabled"] is False
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert resources["CertificateBucket"]["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}


def test_the_automated_step_has_the_parameters_that_its_users_have():
    parameters = documents.read("automated")["Parameters"]
    assert {
        "Domain",
        "SSLCertificate",
        "Route53HostedZoneId",
        "CertificateBucket",
        "CreateElbBackendCertificatesArn",
        "CertificateRotation",
    } <= set(parameters)
    assert {name for name, p in parameters.items() if "Default" not in p} == {
        "Domain",
        "SSLCertificate",
        "Route53HostedZoneId",
        "CertificateBucket",
        "CreateElbBackendCertificatesArn",
        "ImageId",
    }


def test_trust_comes_before_the_pointer_and_the_pointer_before_the_servers():
    resources = documents.read("automated")["Resources"]
    assert resources["CertificatePointer"]["DependsOn"] == "LoadBalancer"
    assert resources["Servers"]["DependsOn"] == "CertificatePointer"
    assert resources["Servers"]["UpdatePolicy"]["AutoScalingRollingUpdate"]["WaitOnResourceSignals"] is True


def test_each_policy_of_the_load_balancer_is_named_after_what_is_in_it():
    """A policy cannot be changed, only made and removed: other contents need another name."""
    policies = documents.read("automated")["Resources"]["LoadBalancer"]["Properties"]["Policies"]
    for policy, key in zip(policies[:2], ("PublicKey", "PreviousPublicKey"), strict=True):
        assert policy["Attributes"][0]["Value"] == {"Fn::GetAtt": ["ElbBackendCertificate", key]}
        assert policy["PolicyName"] == {"Fn::Sub": f"key-${{ElbBackendCertificate.{key}Fingerprint}}"}
    both = "${ElbBackendCertificate.PublicKeyFingerprint}-${ElbBackendCertificate.PreviousPublicKeyFingerprint}"
    assert policies[2]["PolicyName"] == {"Fn::Sub": f"trust-{both}"}
    assert [attribute["Value"] for attribute in policies[2]["Attributes"]] == [p["PolicyName"] for p in policies[:2]]


def script(name: str) -> str:
    launch = documents.read(name)["Resources"]["ServerTemplate"]["Properties"]["LaunchTemplateData"]
    text = launch["UserData"]["Fn::Base64"]["Fn::Sub"]
    return text if isinstance(text, str) else text[0]


@pytest.mark.parametrize("name", STEPS)
def test_servers_start_from_a_launch_template_and_report(name):
    resources = documents.read(name)["Resources"]
    assert "AWS::AutoScaling::LaunchConfiguration" not in {r["Type"] for r in resources.values()}
    assert resources["Servers"]["CreationPolicy"]["ResourceSignal"]["Count"] == 1
    assert "cfn-signal --exit-code $?" in script(name)
    assert len(script(name)) < 16 * 1024


@pytest.mark.parametrize("name", STEPS)
def test_user_data_is_sound_shell(name):
    done = subprocess.run(["bash", "-n"], input=script(name), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


SHARED = {
    "/opt/app/app.py",
    "/etc/systemd/system/app.service",
    "/etc/stunnel/backend.conf",
    "/etc/systemd/system/backend-tls.socket",
    "/etc/systemd/system/backend-tls.service",
}


def test_the_last_two_steps_share_the_server():
    ours, theirs = (servers.files_written(script(name)) for name in ("automated", "backend-certificate"))
    assert ours.keys() & theirs.keys() == SHARED
    assert all(ours[path] == theirs[path] for path in SHARED)


def test_a_key_file_is_readable_by_nobody_else_from_its_first_moment():
    """Of the script that step 3 has; the others leave it to stackcert."""
    lines = servers.files_written(script("backend-certificate"))["/usr/local/sbin/fetch-certificate"].splitlines()
    assert lines.index("umask 077") < min(i for i, line in enumerate(lines) if "get-object" in line)
    assert lines.index("chown backend-tls private-key.pem") < lines.index("chmod 400 private-key.pem")


def test_renewal_may_do_the_same_in_other_accounts_as_in_its_own():
    own = documents.read("provider")["Resources"]["RenewalPolicy"]["Properties"]["PolicyDocument"]
    role = documents.read("renewal-role")["Resources"]["RenewalRole"]["Properties"]
    [elsewhere] = [policy["PolicyDocument"] for policy in role["Policies"]]
    by_sid = {statement["Sid"]: statement for statement in documents.statements(own)}
    # The sweep looks at this account's stacks only.
    look = by_sid["LookAtStacks"]
    looks = {**look, "Action": [action for action in look["Action"] if action != "cloudformation:ListStackResources"]}
    # One role of this name serves all regions.
    wanted = json.loads(
        json.dumps([looks, by_sid["UpdateStacks"], by_sid["TransformTemplates"]]).replace("${AWS::Region}", "*")
    )
    statements = list(documents.statements(elsewhere))
    assert statements[:3] == wanted
    public = by_sid["LookUpRotations"]["Resource"][1]["Fn::Sub"].replace("${AWS::Region}", "*")
    assert statements[3]["Resource"] == {"Fn::Sub": public}
    assert statements[4:] == [by_sid["LookUpParameters"]]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": {"Ref": "RenewalRoleArn"}}


@pytest.mark.parametrize("name", documents.NAMES)
def test_a_published_template_is_the_same_document_and_needs_no_bucket_to_be_deployed(name):
    """CloudFormation takes 51,200 bytes with a request; the rest is room for the versions to come."""
    text = documents.published(name)
    assert load(text) == documents.read(name)
    assert len(text.encode()) < 46_000
