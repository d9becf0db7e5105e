"""Signatures, accounts and permissions of requests."""

import datetime
import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.authz.context import PLAIN_HTTP_HEADER

from .support import allow


@pytest.fixture(scope="module")
def bucket(shared):
    s3 = shared.client("s3")
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key="dir/a b+ü~", Body=b"body")
    return "plain"


def code(error) -> tuple[str, int]:
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def get(url: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {})) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_wrong_secret_is_refused_and_the_right_one_is_not(cloud, bucket):
    assert cloud.client("s3").head_object(Bucket=bucket, Key="dir/a b+ü~")["ContentLength"] == 4
    forged = boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=cloud.admin.access_key_id,
        aws_secret_access_key="x" * 40,
    )
    with pytest.raises(ClientError) as error:
        forged.list_objects_v2(Bucket=bucket)
    assert code(error) == ("SignatureDoesNotMatch", 403)


def test_an_unknown_key_and_a_foreign_token_are_refused(cloud, bucket):
    session = cloud.session(cloud.create_role("token", allow("s3:*", "*")))

    def client(key: str, token: str | None):
        return boto3.client(
            "s3",
            endpoint_url=cloud.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=session.secret_access_key,
            aws_session_token=token,
        )

    assert client(session.access_key_id, session.session_token).list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    for key, token, expected in (
        ("AKIAUNKNOWN000000000", None, "InvalidAccessKeyId"),
        (session.access_key_id, None, "InvalidToken"),
        (session.access_key_id, "other", "InvalidToken"),
    ):
        with pytest.raises(ClientError) as error:
            client(key, token).list_objects_v2(Bucket=bucket)
        assert code(error)[0] == expected


def test_presigned_addresses_work_until_they_expire_or_are_changed(cloud, bucket, monkeypatch):
    s3 = boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=cloud.admin.access_key_id,
        aws_secret_access_key=cloud.admin.secret_access_key,
        config=boto3.session.Config(signature_version="s3v4"),
    )
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "dir/a b+ü~"}, ExpiresIn=60)
    assert get(url) == (200, b"body")
    assert get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))[0] == 403
    assert get(url, {"x-amz-checksum-mode": "ENABLED"})[0] == 403
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=120)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: past.replace(tzinfo=None))
    old = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "dir/a b+ü~"}, ExpiresIn=60)
    status, body = get(old)
    assert status == 403 and b"expired" in body


def test_an_anonymous_request_is_judged_by_the_bucket_policy_alone(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="open")
    s3.put_object(Bucket="open", Key="k", Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.anonymous_client().get_object(Bucket="open", Key="k")
    policy = {"Statement": [{**allow("s3:GetObject", "arn:aws:s3:::open/*"), "Principal": "*"}]}
    s3.put_bucket_policy(Bucket="open", Policy=json.dumps(policy))
    assert cloud.anonymous_client().get_object(Bucket="open", Key="k")["Body"].read() == b"x"
    s3.put_public_access_block(Bucket="open", PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.anonymous_client().get_object(Bucket="open", Key="k")
    assert cloud.client("s3").get_object(Bucket="open", Key="k")["Body"].read() == b"x"


def test_a_public_policy_is_blocked_where_it_is_asked_for(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="blocked")
    s3.put_public_access_block(Bucket="blocked", PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    public = {"Statement": [{**allow("s3:GetObject", "arn:aws:s3:::blocked/*"), "Principal": "*"}]}
    with pytest.raises(ClientError, match="BlockPublicPolicy"):
        s3.put_bucket_policy(Bucket="blocked", Policy=json.dumps(public))
    public["Statement"][0]["Condition"] = {"StringEquals": {"aws:PrincipalAccount": cloud.account}}
    s3.put_bucket_policy(Bucket="blocked", Policy=json.dumps(public))


def test_another_account_needs_both_sides(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="shared-bucket")
    s3.put_object(Bucket="shared-bucket", Key="k", Body=b"x")
    foreign = cloud.create_role("foreign", allow("s3:*", "*"), foreign=True)
    assert foreign.split(":")[4] == cloud.foreign_account
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("s3", as_role=foreign).get_object(Bucket="shared-bucket", Key="k")
    policy = {"Statement": [{**allow("s3:GetObject", "arn:aws:s3:::shared-bucket/*"), "Principal": {"AWS": foreign}}]}
    s3.put_bucket_policy(Bucket="shared-bucket", Policy=json.dumps(policy))
    assert cloud.client("s3", as_role=foreign).get_object(Bucket="shared-bucket", Key="k")["Body"].read() == b"x"
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("s3", as_role=foreign).put_object(Bucket="shared-bucket", Key="k", Body=b"")


def test_a_deny_without_tls_strikes_only_requests_marked_as_plain(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="secure")
    s3.put_object(Bucket="secure", Key="k", Body=b"x")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::secure/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket="secure", Policy=json.dumps({"Statement": [statement]}))
    assert s3.get_object(Bucket="secure", Key="k")["Body"].read() == b"x"
    url = s3.generate_presigned_url("get_object", {"Bucket": "secure", "Key": "k"})
    assert get(url)[0] == 200
    assert get(url, {PLAIN_HTTP_HEADER: "1"})[0] == 403


def test_a_role_is_assumed_only_as_its_trust_policy_says(cloud):
    trusted = cloud.create_role("trusted", allow("s3:ListAllMyBuckets", "*"))
    caller = cloud.create_role("caller", allow("sts:AssumeRole", "*"))
    answer = cloud.client("sts", as_role=caller).assume_role(RoleArn=trusted, RoleSessionName="me")
    assert answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/trusted/me")
    powerless = cloud.create_role("powerless")
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        cloud.client("sts", as_role=powerless).assume_role(RoleArn=trusted, RoleSessionName="me")
    foreign = cloud.create_role("outsider", allow("sts:AssumeRole", "*"), foreign=True)
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("sts", as_role=foreign).assume_role(RoleArn=trusted, RoleSessionName="me")


def test_refusals_speak_the_language_of_each_protocol(cloud):
    nobody = cloud.create_role("nobody")
    for service, operation, expected in (
        ("lambda", "list_functions", "AccessDeniedException"),
        ("ssm", "describe_parameters", "AccessDeniedException"),
        ("iam", "list_roles", "AccessDenied"),
        ("ec2", "describe_instances", "UnauthorizedOperation"),
        ("s3", "list_buckets", "AccessDenied"),
    ):
        with pytest.raises(ClientError) as error:
            getattr(cloud.client(service, as_role=nobody), operation)()
        assert code(error) == (expected, 403), service
    assert {d.action for d in cloud.recorder.denied("assumed-role/nobody")} >= {"lambda:ListFunctions", "iam:ListRoles"}


def test_passing_a_role_on_is_a_permission_of_its_own(cloud):
    passed = cloud.create_role("passed")
    code_location = {"S3Bucket": "code", "S3Key": "function.zip"}
    wanted = {"Runtime": "provided.al2023", "Handler": "x", "Role": passed, "Code": code_location}
    creator = allow("lambda:CreateFunction", "*")
    with pytest.raises(ClientError, match="iam:PassRole"):
        cloud.client("lambda", as_role=cloud.create_role("half", creator)).create_function(FunctionName="f1", **wanted)
    passing = allow("iam:PassRole", passed, StringEquals={"iam:PassedToService": "lambda.amazonaws.com"})
    whole = cloud.create_role("whole", creator, passing)
    cloud.client("lambda", as_role=whole).create_function(FunctionName="f2", **wanted)


def test_an_unknown_condition_in_a_policy_is_an_error_of_the_cloud(cloud, bucket):
    odd = cloud.create_role("odd", allow("s3:*", "*", DateLessThan={"aws:CurrentTime": "2030-01-01T00:00:00Z"}))
    with pytest.raises(ClientError) as error:
        cloud.client("s3", as_role=odd).head_bucket(Bucket=bucket)
    assert code(error)[1] == 501


def test_inline_policies_may_lack_a_version_and_managed_ones_may_not(cloud):
    """As AwsCertificateManagerDemo's templates write them."""
    iam = cloud.client("iam")
    role = cloud.create_role("old-policy")
    document = json.dumps({"Statement": [allow("s3:ListAllMyBuckets", "*")]})
    iam.put_role_policy(RoleName="old-policy", PolicyName="old", PolicyDocument=document)
    assert "Buckets" in cloud.client("s3", as_role=role).list_buckets()
    iam.update_assume_role_policy(
        RoleName="old-policy",
        PolicyDocument=json.dumps(
            {
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ]
            }
        ),
    )
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        iam.create_policy(PolicyName="old", PolicyDocument=document)
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        iam.put_role_policy(RoleName="old-policy", PolicyName="worse", PolicyDocument='{"Version": "2020-01-01"}')
