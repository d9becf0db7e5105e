"""CloudFormation: updates, rollbacks, exports."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from on_aws.bench import Bench
from on_aws.claims import Seen, claim, decided
from on_aws.desk import desk
from on_aws.probes.change_sets import PLAIN, words

SERVICE = "CloudFormation, stacks"


@claim(
    "rollback-sends-update",
    "When a later resource fails, a rollback sends the custom resource an Update back to its old properties, and then "
    "the Delete of the new id.",
    not_local="the local cloud plays both ways (`LocalCloud(rollback=…)`), and the tests run with both",
)
def rollback_sends_update(bench: Bench) -> Seen:
    here = desk(bench)
    stack = bench.stack(PLAIN | {"Resources": {"Rolled": here.resource(Value={"Ref": "Word"})}})
    failing = here.resource(Fail="yes") | {"DependsOn": "Rolled"}
    template = PLAIN | {"Resources": {"Rolled": here.resource(Value={"Ref": "Word"}), "Fails": failing}}
    before = len(here.of("Rolled"))
    bench.client("cloudformation").update_stack(
        StackName=stack, TemplateBody=json.dumps(template), Parameters=words("2")
    )
    bench.settled(stack)
    found = [
        f"{e['RequestType']} of {e.get('PhysicalResourceId', '-')} to {e['ResourceProperties'].get('Value')}"
        for e in here.of("Rolled")[before:]
    ]
    kinds = [each.split(" ")[0] for each in found]
    return decided(kinds == ["Update", "Update", "Delete"], "; ".join(found))


@claim("stack-export-in-use", "An exported value cannot be changed while a stack imports it.")
def export_in_use(bench: Bench) -> Seen:
    export = bench.name("export")
    exporting = PLAIN | {"Outputs": {"Out": {"Value": {"Ref": "Word"}, "Export": {"Name": export}}}}
    first = bench.stack(exporting)
    kept = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::ImportValue": export}}}
    bench.stack({"Resources": {"Kept": kept}})
    bench.client("cloudformation").update_stack(StackName=first, UsePreviousTemplate=True, Parameters=words("2"))
    status = bench.settled(first)
    return decided(status == "UPDATE_ROLLBACK_COMPLETE", f"{status}: {bench.reasons(first)}")


@claim(
    "stack-bucket-policy-exists",
    "A new `AWS::S3::BucketPolicy` fails for a bucket that has a policy.",
)
def bucket_policy_exists(bench: Bench) -> Seen:
    bucket = bench.bucket("has-a-policy")
    arn = f"arn:{bench.place.partition}:s3:::{bucket}"
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"{arn}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [deny]}
    bench.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    policy = {
        "Type": "AWS::S3::BucketPolicy",
        "DeletionPolicy": "Retain",
        "Properties": {"Bucket": bucket, "PolicyDocument": document},
    }
    stack = bench.stack({"Resources": {"Policy": policy}}, wait=False)
    status = bench.settled(stack)
    return decided(status == "ROLLBACK_COMPLETE", f"{status}: {bench.reasons(stack)}")


@claim(
    "stack-disable-rollback-default",
    "ExecuteChangeSet without `DisableRollback` rolls a failed update back.",
)
def disable_rollback_default(bench: Bench) -> Seen:
    here, cloudformation = desk(bench), bench.client("cloudformation")
    stack = bench.stack(PLAIN)
    template = PLAIN | {"Resources": {**PLAIN["Resources"], "Fails": here.resource(Fail="yes")}}
    made = cloudformation.create_change_set(
        StackName=stack, ChangeSetName=bench.name("fails"), TemplateBody=json.dumps(template), Parameters=words("2")
    )["Id"]

    def ready() -> bool:
        return cloudformation.describe_change_set(ChangeSetName=made)["ExecutionStatus"] == "AVAILABLE"

    bench.wait("the change set", ready)
    cloudformation.execute_change_set(ChangeSetName=made)
    status = bench.settled(stack)
    return decided(status == "UPDATE_ROLLBACK_COMPLETE", status)


@claim(
    "stack-name-in-stack-set",
    "A name of 67 characters, as stack sets give them, is too long for a Lambda function.",
    not_local="the local cloud does not check the length of functions' names",
)
def name_in_stack_set(bench: Bench) -> Seen:
    try:
        bench.client("lambda").get_function(FunctionName="x" * 67)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return decided(code in ("ValidationException", "InvalidParameterValueException"), f"{code}: {error}")
    return decided(False, "a function of that name is there")
