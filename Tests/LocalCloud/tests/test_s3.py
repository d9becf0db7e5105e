"""What S3 does around objects: hidden keys, encryption, owners, versions, conditions on writing."""

import json

import pytest
from botocore.exceptions import ClientError

from .support import allow


def status(function, **arguments) -> int:
    try:
        return function(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture(scope="module")
def encrypted(shared):
    """A bucket whose default encryption is a key that the account's policies decide about, through S3 only."""
    root = {"AWS": f"arn:aws:iam::{shared.account}:root"}
    policy = {
        "Statement": [
            {
                **allow(["kms:PutKeyPolicy", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey"], "*"),
                "Principal": root,
            },
            {
                **allow(
                    ["kms:GenerateDataKey", "kms:Decrypt"],
                    "*",
                    StringEquals={"kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:CallerAccount": shared.account},
                ),
                "Principal": root,
            },
        ]
    }
    key = shared.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    s3 = shared.client("s3")
    s3.create_bucket(Bucket="encrypted")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="encrypted", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket="encrypted", Key="a/one", Body=b"secret", Metadata={"public": "yes"})
    return key


def test_a_missing_key_is_hidden_from_those_who_may_not_list(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="hidden")
    blind = cloud.client("s3", as_role=cloud.create_role("blind", allow("s3:GetObject", "arn:aws:s3:::hidden/*")))
    seeing = cloud.client(
        "s3",
        as_role=cloud.create_role(
            "seeing",
            allow("s3:GetObject", "arn:aws:s3:::hidden/*"),
            allow("s3:ListBucket", "arn:aws:s3:::hidden", StringLike={"s3:prefix": "a/*"}),
        ),
    )
    for operation in ("get_object", "head_object"):
        assert status(getattr(blind, operation), Bucket="hidden", Key="a/x") == 403
        assert status(getattr(seeing, operation), Bucket="hidden", Key="a/x") == 404
        assert status(getattr(seeing, operation), Bucket="hidden", Key="b/x") == 403
    assert status(seeing.list_objects_v2, Bucket="hidden", Prefix="a/") == 200
    assert status(seeing.list_objects_v2, Bucket="hidden", Prefix="b/") == 403
    assert status(seeing.list_objects_v2, Bucket="hidden") == 403


def test_encrypted_objects_need_the_key_to_write_and_to_read_but_not_to_look_at(cloud, encrypted):
    objects = allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::encrypted/*")
    context = {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::encrypted/a/*"}
    writer = cloud.client(
        "s3",
        as_role=cloud.create_role("writer", objects, allow("kms:GenerateDataKey", encrypted, StringLike=context)),
    )
    reader = cloud.client(
        "s3", as_role=cloud.create_role("reader", objects, allow("kms:Decrypt", encrypted, StringLike=context))
    )
    assert status(writer.put_object, Bucket="encrypted", Key="a/two", Body=b"x") == 200
    assert status(writer.put_object, Bucket="encrypted", Key="b/two", Body=b"x") == 403
    assert status(reader.put_object, Bucket="encrypted", Key="a/three", Body=b"x") == 403
    assert status(reader.get_object, Bucket="encrypted", Key="a/one") == 200
    assert status(writer.get_object, Bucket="encrypted", Key="a/one") == 403
    assert writer.head_object(Bucket="encrypted", Key="a/one")["Metadata"] == {"public": "yes"}
    assert status(writer.head_object, Bucket="encrypted", Key="a/one", ChecksumMode="ENABLED") == 403


def test_with_a_bucket_key_kms_is_told_the_buckets_name(cloud, encrypted):
    """By the bucket's default, unless the request says otherwise; and as it was written for whoever reads it."""
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": encrypted},
        "BucketKeyEnabled": True,
    }
    admin = cloud.client("s3")
    admin.create_bucket(Bucket="with-bucket-key")
    admin.put_bucket_encryption(Bucket="with-bucket-key", ServerSideEncryptionConfiguration={"Rules": [rule]})
    objects = allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::with-bucket-key/*")

    def user(name: str, arn: str):
        context = {"kms:EncryptionContext:aws:s3:arn": arn}
        rights = allow(["kms:GenerateDataKey", "kms:Decrypt"], encrypted, StringLike=context)
        return cloud.client("s3", as_role=cloud.create_role(name, objects, rights))

    by_object = user("by-object", "arn:aws:s3:::with-bucket-key/*")
    by_bucket = user("by-bucket", "arn:aws:s3:::with-bucket-key")
    request = {"Bucket": "with-bucket-key", "Body": b"x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": encrypted}
    assert status(by_object.put_object, **request, Key="one") == 403
    assert status(by_bucket.put_object, **request, Key="one") == 200
    assert status(by_object.put_object, **request, Key="two", BucketKeyEnabled=False) == 200
    assert status(by_bucket.put_object, **request, Key="two", BucketKeyEnabled=False) == 403
    for key, expected in (("one", [403, 200]), ("two", [200, 403])):
        answers = [status(user.get_object, Bucket="with-bucket-key", Key=key) for user in (by_object, by_bucket)]
        assert answers == expected


def test_the_key_policy_wants_the_key_used_through_s3(cloud, encrypted):
    user = cloud.create_role("direct", allow("kms:*", "*"))
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("kms", as_role=user).generate_data_key(KeyId=encrypted, KeySpec="AES_256")


def test_a_header_names_the_key_as_well_as_the_default_does(cloud, encrypted):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="by-header")
    role = cloud.create_role("headers", allow("s3:PutObject", "arn:aws:s3:::by-header/*"))
    client = cloud.client("s3", as_role=role)
    assert status(client.put_object, Bucket="by-header", Key="k", Body=b"") == 200
    named = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": encrypted}
    assert status(client.put_object, Bucket="by-header", Key="k", Body=b"", **named) == 403
    assert status(s3.put_object, Bucket="by-header", Key="k", Body=b"", **named) == 200
    assert s3.head_object(Bucket="by-header", Key="k")["SSEKMSKeyId"] == encrypted


@pytest.mark.parametrize("named", ["by id", "by ARN"])
def test_a_disabled_key_serves_nobody(cloud, encrypted, named):
    kms, s3 = cloud.client("kms"), cloud.client("s3")
    identifier = encrypted if named == "by ARN" else encrypted.split("/")[1]
    kms.disable_key(KeyId=identifier)
    try:
        with pytest.raises(ClientError, match="KMS.DisabledException"):
            s3.get_object(Bucket="encrypted", Key="a/one")
    finally:
        kms.enable_key(KeyId=identifier)
    assert s3.get_object(Bucket="encrypted", Key="a/one")["Body"].read() == b"secret"


def test_the_expected_owner_is_checked(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="owned")
    s3.put_object(Bucket="owned", Key="k", Body=b"", ExpectedBucketOwner=cloud.account)
    for operation in (s3.head_object, s3.get_object, s3.delete_object):
        assert status(operation, Bucket="owned", Key="k", ExpectedBucketOwner=cloud.foreign_account) == 403
    assert status(s3.head_object, Bucket="owned", Key="k") == 200


def test_writing_once(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="once")
    assert status(s3.put_object, Bucket="once", Key="k", Body=b"1", IfNoneMatch="*") == 200
    assert status(s3.put_object, Bucket="once", Key="k", Body=b"2", IfNoneMatch="*") == 412
    assert s3.get_object(Bucket="once", Key="k")["Body"].read() == b"1"
    etag = s3.head_object(Bucket="once", Key="k")["ETag"]
    assert status(s3.put_object, Bucket="once", Key="k", Body=b"2", IfMatch='"0"') == 412
    assert status(s3.put_object, Bucket="once", Key="k", Body=b"2", IfMatch=etag) == 200


def test_a_condition_on_what_has_vanished_is_not_found(cloud):
    """Measured: ceph/s3-tests#663 (PutObject), localstack/localstack#13894 and ministackorg/ministack#1475."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="vanished")
    etag = s3.put_object(Bucket="vanished", Key="k", Body=b"1")["ETag"]
    s3.delete_object(Bucket="vanished", Key="k")
    for versioning in ("never", "Enabled"):
        if versioning == "Enabled":
            s3.put_bucket_versioning(Bucket="vanished", VersioningConfiguration={"Status": "Enabled"})
            s3.put_object(Bucket="vanished", Key="k", Body=b"1")
            s3.delete_object(Bucket="vanished", Key="k")
        assert status(s3.put_object, Bucket="vanished", Key="k", Body=b"2", IfMatch=etag) == 404
        assert status(s3.delete_object, Bucket="vanished", Key="k", IfMatch=etag) == 404


def test_a_condition_beside_a_version_id_is_not_implemented(cloud):
    """Measured: localstack/localstack#13894."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="one-version")
    s3.put_bucket_versioning(Bucket="one-version", VersioningConfiguration={"Status": "Enabled"})
    made = s3.put_object(Bucket="one-version", Key="k", Body=b"1")
    version = {"Bucket": "one-version", "Key": "k", "VersionId": made["VersionId"]}
    assert status(s3.delete_object, IfMatch=made["ETag"], **version) == 501
    assert s3.get_object(**version)["Body"].read() == b"1"
    assert status(s3.delete_object, **version) == 204


@pytest.mark.parametrize(("operation", "more"), [("put_object", {"Body": b"2"}), ("delete_object", {})])
def test_to_compare_entity_tags_one_must_be_allowed_to_read(cloud, operation, more):
    """User Guide: "How to prevent object overwrites with conditional writes", "Enforce conditional deletes"."""
    s3, bucket = cloud.client("s3"), f"compare-{operation.split('_')[0]}"
    s3.create_bucket(Bucket=bucket)
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    writing = allow(["s3:PutObject", "s3:DeleteObject"], f"arn:aws:s3:::{bucket}/*")
    blind = cloud.client("s3", as_role=cloud.create_role(f"{bucket}-blind", writing))
    seeing = cloud.client(
        "s3", as_role=cloud.create_role(f"{bucket}-seeing", writing, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    )
    assert status(getattr(blind, operation), Bucket=bucket, Key="k", IfMatch=etag, **more) == 403
    assert status(getattr(seeing, operation), Bucket=bucket, Key="k", IfMatch=etag, **more) in (200, 204)


def test_conditions_on_headers_of_a_write(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="strict")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::strict/once/*",
        "Condition": {"Null": {"s3:if-none-match": "true"}},
    }
    s3.put_bucket_policy(Bucket="strict", Policy=json.dumps({"Statement": [statement]}))
    assert status(s3.put_object, Bucket="strict", Key="once/a", Body=b"") == 403
    assert status(s3.put_object, Bucket="strict", Key="once/a", Body=b"", IfNoneMatch="*") == 200
    assert status(s3.put_object, Bucket="strict", Key="other/a", Body=b"") == 200


def test_versions_are_permissions_of_their_own(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="versions", Key="k", Body=b"1")["VersionId"]
    objects = "arn:aws:s3:::versions/*"
    plain = cloud.client(
        "s3", as_role=cloud.create_role("plain-one", allow(["s3:DeleteObject", "s3:GetObject"], objects))
    )
    assert status(plain.get_object, Bucket="versions", Key="k", VersionId=version) == 403
    assert status(plain.delete_object, Bucket="versions", Key="k", VersionId=version) == 403
    assert status(plain.list_object_versions, Bucket="versions") == 403
    assert status(plain.delete_object, Bucket="versions", Key="k") == 204
    assert status(s3.get_object, Bucket="versions", Key="k") == 404
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket="versions")
    versioned = cloud.create_role(
        "versioned",
        allow(["s3:DeleteObjectVersion", "s3:GetObjectVersion"], objects),
        allow("s3:ListBucketVersions", "arn:aws:s3:::versions"),
    )
    client = cloud.client("s3", as_role=versioned)
    assert client.get_object(Bucket="versions", Key="k", VersionId=version)["Body"].read() == b"1"
    listed = client.list_object_versions(Bucket="versions", Prefix="k")
    for entry in listed["Versions"] + listed["DeleteMarkers"]:
        assert status(client.delete_object, Bucket="versions", Key="k", VersionId=entry["VersionId"]) == 204
    assert status(s3.delete_bucket, Bucket="versions") == 204


def test_an_acl_is_a_permission_of_its_own_unless_it_is_the_default(cloud):
    cloud.client("s3").create_bucket(Bucket="lists")
    objects = "arn:aws:s3:::lists/*"
    writer = cloud.client("s3", as_role=cloud.create_role("acl-writer", allow("s3:PutObject", objects)))
    both = cloud.create_role("acl-changer", allow(["s3:PutObject", "s3:PutObjectAcl"], objects))
    changer = cloud.client("s3", as_role=both)
    assert status(writer.put_object, Bucket="lists", Key="k", Body=b"", ACL="private") == 200
    for wanted in ({"ACL": "bucket-owner-full-control"}, {"ACL": "public-read"}, {"GrantRead": "id=somebody"}):
        assert status(writer.put_object, Bucket="lists", Key="k", Body=b"", **wanted) == 403
        assert status(changer.put_object, Bucket="lists", Key="k", Body=b"", **wanted) == 200


def test_a_bucket_whose_owner_is_enforced_takes_no_acl(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="enforced")
    s3.put_bucket_ownership_controls(
        Bucket="enforced", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    with pytest.raises(ClientError, match="AccessControlListNotSupported"):
        s3.put_object(Bucket="enforced", Key="k", Body=b"", ACL="private")
    assert status(s3.put_object, Bucket="enforced", Key="k", Body=b"") == 200
    assert status(s3.put_object, Bucket="enforced", Key="k", Body=b"", ACL="bucket-owner-full-control") == 200


def test_the_state_of_versioning_is_a_permission_of_its_own(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="asked")
    arn = "arn:aws:s3:::asked"
    may = cloud.client("s3", as_role=cloud.create_role("asks-versioning", allow("s3:GetBucketVersioning", arn)))
    may_not = cloud.client("s3", as_role=cloud.create_role("asks-nothing", allow("s3:ListBucket", arn)))
    assert "Status" not in may.get_bucket_versioning(Bucket="asked")
    for state in ("Enabled", "Suspended"):
        assert status(may.put_bucket_versioning, Bucket="asked", VersioningConfiguration={"Status": state}) == 403
        s3.put_bucket_versioning(Bucket="asked", VersioningConfiguration={"Status": state})
        assert may.get_bucket_versioning(Bucket="asked")["Status"] == state
    assert status(may_not.get_bucket_versioning, Bucket="asked") == 403


def test_a_bucket_without_versions_names_none(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="never")
    assert "VersionId" not in s3.put_object(Bucket="never", Key="k", Body=b"1")
    assert "VersionId" not in s3.head_object(Bucket="never", Key="k")
    assert "VersionId" not in s3.get_object(Bucket="never", Key="k")
    assert "VersionId" not in s3.delete_object(Bucket="never", Key="k")


def test_a_suspended_bucket_has_one_null_version_beside_those_that_it_kept(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="suspended")
    s3.put_object(Bucket="suspended", Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket="suspended", VersioningConfiguration={"Status": "Enabled"})
    assert s3.head_object(Bucket="suspended", Key="k")["VersionId"] == "null"
    kept = s3.put_object(Bucket="suspended", Key="k", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket="suspended", VersioningConfiguration={"Status": "Suspended"})
    assert s3.head_object(Bucket="suspended", Key="k")["VersionId"] == kept
    # The answer to PutObject names no version; what it wrote is the null version all the same.
    assert "VersionId" not in s3.put_object(Bucket="suspended", Key="k", Body=b"after")
    assert s3.head_object(Bucket="suspended", Key="k")["VersionId"] == "null"
    assert s3.get_object(Bucket="suspended", Key="k")["VersionId"] == "null"
    assert s3.get_object(Bucket="suspended", Key="k", VersionId="null")["Body"].read() == b"after"
    assert s3.get_object(Bucket="suspended", Key="k", VersionId=kept)["Body"].read() == b"kept"
    listed = s3.list_object_versions(Bucket="suspended")["Versions"]
    assert sorted(each["VersionId"] for each in listed) == sorted([kept, "null"])
    source = {"Bucket": "suspended", "Key": "k", "VersionId": kept}
    assert "VersionId" not in s3.copy_object(Bucket="suspended", Key="copy", CopySource=source)
    assert s3.head_object(Bucket="suspended", Key="copy")["VersionId"] == "null"


def test_deleting_in_a_suspended_bucket_loses_the_null_version_only(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="unkept")
    s3.put_bucket_versioning(Bucket="unkept", VersioningConfiguration={"Status": "Enabled"})
    kept = s3.put_object(Bucket="unkept", Key="k", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket="unkept", VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket="unkept", Key="k", Body=b"lost")
    answer = s3.delete_object(Bucket="unkept", Key="k")
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, "null")
    assert status(s3.get_object, Bucket="unkept", Key="k") == 404
    listed = s3.list_object_versions(Bucket="unkept")
    assert [each["VersionId"] for each in listed["Versions"]] == [kept]
    assert [each["VersionId"] for each in listed["DeleteMarkers"]] == ["null"]
    assert s3.get_object(Bucket="unkept", Key="k", VersionId=kept)["Body"].read() == b"kept"
    assert status(s3.delete_object, Bucket="unkept", Key="k", VersionId="null") == 204
    assert s3.get_object(Bucket="unkept", Key="k")["Body"].read() == b"kept"


def test_deleting_many_is_decided_key_by_key(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="many")
    for key in ("a/1", "b/1"):
        s3.put_object(Bucket="many", Key=key, Body=b"")
    client = cloud.client("s3", as_role=cloud.create_role("many", allow("s3:DeleteObject", "arn:aws:s3:::many/a/*")))
    answer = client.delete_objects(Bucket="many", Delete={"Objects": [{"Key": "a/1"}, {"Key": "b/1"}]})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["a/1"]
    assert [(entry["Key"], entry["Code"]) for entry in answer["Errors"]] == [("b/1", "AccessDenied")]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="many")["Contents"]] == ["b/1"]
