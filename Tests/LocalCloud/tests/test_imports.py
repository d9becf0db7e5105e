"""Change sets of type IMPORT: a stack takes over what exists already.

What is demanded and refused: User Guide, "Import AWS resources into a CloudFormation stack"
(AWSCloudFormation/latest/UserGuide/resource-import.html and import-resources-manually.html).
Identifiers: primaryIdentifier of the types' schemas.
"""

import json

import pytest
from botocore.exceptions import ClientError

KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def bucket(**properties) -> dict:
    return {"Type": "AWS::S3::Bucket", **KEPT, "Properties": properties}


def policy(name: str, sid: str) -> dict:
    statement = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{name}/secret"}]}
    return {"Type": "AWS::S3::BucketPolicy", **KEPT, "Properties": {"Bucket": name, "PolicyDocument": document}}


def template(resources: dict, **sections) -> str:
    return json.dumps({"Resources": resources, **sections})


def to_import(**resources: tuple[str, str, str]) -> list[dict]:
    return [
        {"LogicalResourceId": name, "ResourceType": kind, "ResourceIdentifier": {key: value}}
        for name, (kind, key, value) in resources.items()
    ]


def of_bucket(name: str) -> tuple[str, str, str]:
    return "AWS::S3::Bucket", "BucketName", name


def change_set(cloud, stack: str, body: str, imports: list[dict], **more) -> dict:
    """A change set of type IMPORT, made."""
    client = cloud.client("cloudformation")
    arguments = {"StackName": stack, "ChangeSetName": "take-over", "ChangeSetType": "IMPORT", "TemplateBody": body}
    identifier = client.create_change_set(**arguments, ResourcesToImport=imports, **more)["Id"]
    client.get_waiter("change_set_create_complete").wait(
        ChangeSetName=identifier, WaiterConfig={"Delay": 0, "MaxAttempts": 500}
    )
    return client.describe_change_set(ChangeSetName=identifier)


def taken_over(cloud, stack: str, body: str, imports: list[dict], **more):
    found = change_set(cloud, stack, body, imports, **more)
    cloud.client("cloudformation").execute_change_set(ChangeSetName=found["ChangeSetId"])
    return cloud.stacks.wait(stack)


@pytest.fixture
def name(cloud, request) -> str:
    """A bucket with a policy and an object, which no stack has."""
    made = request.node.name.replace("_", "-")[5:60].strip("-")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=made)
    s3.put_object(Bucket=made, Key="kept", Body=b"kept")
    s3.put_bucket_policy(Bucket=made, Policy=json.dumps(policy(made, "Former")["Properties"]["PolicyDocument"]))
    return made


def sid(cloud, name: str) -> str:
    return json.loads(cloud.client("s3").get_bucket_policy(Bucket=name)["Policy"])["Statement"][0]["Sid"]


def test_a_new_stack_takes_over_and_an_update_adds_the_rest(cloud, name):
    key = cloud.client("kms").create_key(Description="former")["KeyMetadata"]["KeyId"]
    kept = {
        "Bucket": bucket(BucketName=name),
        "Policy": policy(name, "Latter"),
        "Key": {"Type": "AWS::KMS::Key", **KEPT, "Properties": {"Description": "latter"}},
    }
    imports = to_import(
        Bucket=of_bucket(name),
        Policy=("AWS::S3::BucketPolicy", "Bucket", name),
        Key=("AWS::KMS::Key", "KeyId", key),
    )
    found = change_set(cloud, f"{name}-new", template(kept), imports)
    assert cloud.stacks.status(f"{name}-new") == "REVIEW_IN_PROGRESS"
    changes = [change["ResourceChange"] for change in found["Changes"]]
    assert {(one["Action"], one["LogicalResourceId"], one["PhysicalResourceId"]) for one in changes} == {
        ("Import", "Bucket", name),
        ("Import", "Policy", name),
        ("Import", "Key", key),
    }
    client = cloud.client("cloudformation")
    client.execute_change_set(ChangeSetName=found["ChangeSetId"])
    made = cloud.stacks.wait(f"{name}-new")
    assert made.status == "IMPORT_COMPLETE", made.reasons()
    assert made.statuses(f"{name}-new") == ["REVIEW_IN_PROGRESS", "IMPORT_IN_PROGRESS", "IMPORT_COMPLETE"]
    assert made.statuses("Key") == ["IMPORT_IN_PROGRESS", "IMPORT_COMPLETE"]
    # Nothing was changed by it.
    assert sid(cloud, name) == "Former"
    assert cloud.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Description"] == "former"

    kept["Policy"], kept["Key"]["Properties"] = policy(name, "Last"), {"Description": "last"}
    more = {**kept, "Other": {"Type": "AWS::S3::Bucket", "Properties": {}}}
    outputs = {"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}}
    full = cloud.stacks.update(f"{name}-new", template(more, **outputs))
    assert full.status == "UPDATE_COMPLETE", full.reasons()
    assert full.outputs["Arn"].endswith(key)
    assert sid(cloud, name) == "Last"
    assert cloud.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Description"] == "last"
    assert cloud.client("s3").get_object(Bucket=name, Key="kept")["Body"].read() == b"kept"
    assert cloud.stacks.delete(f"{name}-new").status == "DELETE_COMPLETE"
    assert cloud.client("s3").get_object(Bucket=name, Key="kept")["Body"].read() == b"kept"


def test_a_bucket_without_a_name_in_the_template_is_taken_over(cloud, name):
    """The identifier says which one. `cdk import` works so (cdk/v2/guide/ref-cli-cmd-import.html)."""
    body = template({"Bucket": bucket()})
    assert taken_over(cloud, f"{name}-stack", body, to_import(Bucket=of_bucket(name))).status == "IMPORT_COMPLETE"
    tagged = template({"Bucket": bucket(Tags=[{"Key": "a", "Value": "b"}])})
    assert cloud.stacks.update(f"{name}-stack", tagged).physical_id("Bucket") == name


def test_a_stack_that_has_resources_takes_another_over(cloud, name):
    first = {"First": bucket()}
    cloud.stacks.create(f"{name}-stack", template(first))
    body = template({**first, "Second": bucket(BucketName=name)})
    made = taken_over(cloud, f"{name}-stack", body, to_import(Second=of_bucket(name)))
    assert made.status == "IMPORT_COMPLETE"
    assert made.physical_id("Second") == name


def refusal(cloud, stack: str, body: str, imports: list[dict]) -> str:
    with pytest.raises(ClientError) as caught:
        change_set(cloud, stack, body, imports)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    return caught.value.response["Error"]["Message"]


def test_a_resource_without_a_deletion_policy_is_refused(cloud, name):
    """ "Each resource to import must have a DeletionPolicy attribute": "Delete" is one, none is none."""
    declared = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
    imports = to_import(Bucket=of_bucket(name))
    assert "must have DeletionPolicy" in refusal(cloud, f"{name}-s", template({"Bucket": declared}), imports)
    assert not cloud.stacks.exists(f"{name}-s")
    deleting = template({"Bucket": {**declared, "DeletionPolicy": "Delete"}})
    assert taken_over(cloud, f"{name}-s", deleting, imports).status == "IMPORT_COMPLETE"


def test_nothing_else_is_created_with_an_import(cloud, name):
    body = template({"Bucket": bucket(BucketName=name), "Other": bucket()})
    told = refusal(cloud, f"{name}-stack", body, to_import(Bucket=of_bucket(name)))
    assert "You have modified resources [Other]" in told


@pytest.mark.parametrize("after", ["changed", "removed"])
def test_nothing_else_is_changed_or_removed_with_an_import(cloud, after):
    stack, other = f"stack-{after}", f"other-{after}"
    cloud.client("s3").create_bucket(Bucket=other)
    first = {"First": bucket(), "Rest": bucket()}
    cloud.stacks.create(stack, template(first))
    rest = (
        {"Rest": first["Rest"]} if after == "removed" else {**first, "First": bucket(Tags=[{"Key": "a", "Value": "b"}])}
    )
    told = refusal(cloud, stack, template({**rest, "New": bucket(BucketName=other)}), to_import(New=of_bucket(other)))
    assert "You have modified resources [First]" in told
    assert cloud.stacks.status(stack) == "CREATE_COMPLETE"


def test_outputs_are_not_added_with_an_import(cloud, name):
    """The message: awslabs/aws-security-assessment-solution#6."""
    body = template({"Bucket": bucket(BucketName=name)}, Outputs={"Name": {"Value": name}})
    told = refusal(cloud, f"{name}-stack", body, to_import(Bucket=of_bucket(name)))
    assert told == "As part of the import operation, you cannot modify or add [Outputs]"


def test_what_another_stack_has_is_refused(cloud):
    made = cloud.stacks.create("has-it", template({"Bucket": bucket()})).physical_id("Bucket")
    told = refusal(cloud, "wants-it", template({"Bucket": bucket(BucketName=made)}), to_import(Bucket=of_bucket(made)))
    assert "stack/has-it/" in told


@pytest.mark.parametrize(
    ("imports", "told"),
    [
        (to_import(Bucket=("AWS::S3::Bucket", "Bucket", "any")), "is identified by [BucketName]"),
        (to_import(Bucket=("AWS::S3::BucketPolicy", "Bucket", "any")), "are not in the template"),
        (to_import(Basket=of_bucket("any")), "are not in the template"),
        ([], "ResourcesToImport must be specified"),
    ],
)
def test_identifier_type_and_template_must_agree(cloud, imports, told):
    assert told in refusal(cloud, "disagreeing", template({"Bucket": bucket()}), imports)


@pytest.mark.parametrize(
    ("kind", "key"),
    [("AWS::S3::Bucket", "BucketName"), ("AWS::S3::BucketPolicy", "Bucket"), ("AWS::KMS::Key", "KeyId")],
)
def test_what_does_not_exist_rolls_the_import_back(cloud, kind, key):
    stack, kept = "nothing-there-" + key.lower(), {"First": bucket()}
    cloud.stacks.create(stack, template(kept))
    properties = {"AWS::S3::BucketPolicy": policy("not-there", "None")["Properties"]}.get(kind, {})
    body = template({**kept, "New": {"Type": kind, **KEPT, "Properties": properties}})
    identifier = "not-there" if kind != "AWS::KMS::Key" else "11111111-2222-3333-4444-555555555555"
    made = taken_over(cloud, stack, body, to_import(New=(kind, key, identifier)))
    assert made.statuses(stack)[-3:] == [
        "IMPORT_IN_PROGRESS",
        "IMPORT_ROLLBACK_IN_PROGRESS",
        "IMPORT_ROLLBACK_COMPLETE",
    ]
    assert made.statuses("New")[1] == "IMPORT_FAILED"
    client = cloud.client("cloudformation")
    listed = client.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    assert [one["LogicalResourceId"] for one in listed] == ["First"]
    assert client.get_template(StackName=stack)["TemplateBody"] == {"Resources": kept}
    grown = template({"First": bucket(Tags=[{"Key": "a", "Value": "b"}])})
    assert cloud.stacks.update(stack, grown).status == "UPDATE_COMPLETE"


def test_a_name_in_the_template_that_is_not_the_identifiers_rolls_the_import_back(cloud, name):
    body = template({"Bucket": bucket(BucketName="another-name")})
    made = taken_over(cloud, f"{name}-s", body, to_import(Bucket=of_bucket(name)))
    assert made.status == "IMPORT_ROLLBACK_COMPLETE"


def test_the_import_acts_with_its_callers_permissions(cloud, name):
    role = cloud.create_role(f"{name[:40]}-role", {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"})
    body = template({"Policy": policy(name, "Latter")})
    imports = to_import(Policy=("AWS::S3::BucketPolicy", "Bucket", name))
    made = taken_over(cloud, f"{name}-s", body, imports, RoleARN=role)
    assert made.status == "IMPORT_ROLLBACK_COMPLETE"
    assert any("AccessDenied" in told for told in made.reasons("IMPORT_FAILED"))


def test_the_cli_can_wait_for_an_import(cloud, name):
    client, stack = cloud.client("cloudformation"), f"{name}-s"
    found = change_set(cloud, stack, template({"Bucket": bucket(BucketName=name)}), to_import(Bucket=of_bucket(name)))
    client.execute_change_set(ChangeSetName=found["ChangeSetId"])
    client.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig={"Delay": 0, "MaxAttempts": 500})
    assert cloud.stacks.status(stack) == "IMPORT_COMPLETE"
    assert client.describe_change_set(ChangeSetName=found["ChangeSetId"])["ExecutionStatus"] == "EXECUTE_COMPLETE"
