"""CloudFormation: change sets, which is how a renewal updates a stack."""

from __future__ import annotations

import json
import time
from typing import Any

from botocore.exceptions import ClientError

from on_aws.bench import Bench, Inconclusive, allow, outcome
from on_aws.claims import Seen, claim, decided
from on_aws.desk import desk

SERVICE = "CloudFormation, change sets"


def _parameter(value: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}


PLAIN = {"Parameters": {"Word": {"Type": "String", "Default": "1"}}, "Resources": {"Kept": _parameter({"Ref": "Word"})}}


def words(word: str = "", key: str = "Word") -> list[dict[str, Any]]:
    return [{"ParameterKey": key, **({"ParameterValue": word} if word else {"UsePreviousValue": True})}]


def service_role(bench: Bench) -> str:
    """A role that stacks of parameters and of the desk's resources work with, which CloudFormation can assume."""

    def make() -> str:
        arn = bench.role(allow(["ssm:*", "ec2:Describe*", "sns:Publish"], "*"), trust="cloudformation.amazonaws.com")
        # There is nothing else to ask whether CloudFormation can assume it.
        bench.wait("that stacks can be made with the service role", lambda: _tried(bench, arn), 120)
        return arn

    return bench.shared("service role", make)


def _tried(bench: Bench, role: str) -> bool:
    try:
        bench.stack(PLAIN, RoleARN=role)
    except (ClientError, Inconclusive) as error:
        if any(words in str(error) for words in ("cannot be assumed", "is invalid", "not authorized")):
            return False
        raise
    return True


def role_stack(bench: Bench) -> str:
    return bench.shared("stack with a service role", lambda: bench.stack(PLAIN, RoleARN=service_role(bench)))


def change_set(bench: Bench, stack: str, cloudformation: Any = None, name: str = "", **more: Any) -> tuple[str, str]:
    """Creates one and waits for its end. Its ARN and status."""
    asked = cloudformation or bench.client("cloudformation")
    more.setdefault("UsePreviousTemplate", True)
    made = asked.create_change_set(StackName=stack, ChangeSetName=name or bench.name("changes"), **more)["Id"]

    def ended() -> str | None:
        status = bench.client("cloudformation").describe_change_set(ChangeSetName=made)["Status"]
        return None if status.endswith(("_PENDING", "_IN_PROGRESS")) else status

    return made, bench.wait("the end of the change set's making", ended)


_RENEWAL = ["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet"]


def renewal_client(bench: Bench) -> Any:
    """A client with what the renewal's role may do, and no iam:PassRole."""

    def make() -> Any:
        named = {"StringLike": {"cloudformation:ChangeSetName": "stackcert-*"}}
        everywhere = bench.arn("cloudformation", "stack/*")
        looks = allow(["cloudformation:Describe*", "cloudformation:GetTemplate*"], everywhere)
        return bench.client("cloudformation", bench.as_role(allow(_RENEWAL, everywhere, **named), looks))

    return bench.shared("renewal client", make)


def refusal(bench: Bench, stack: str, suffix: str, **more: Any) -> str:
    """What CloudFormation says to a change set of the renewal's, at once or afterwards; empty when it is made."""
    name = f"stackcert-{bench.run}-{suffix}"
    try:
        made, status = change_set(bench, stack, renewal_client(bench), name, **more)
    except ClientError as error:
        return str(error)
    if status == "CREATE_COMPLETE":
        return ""
    return bench.client("cloudformation").describe_change_set(ChangeSetName=made).get("StatusReason", status)


@claim(
    "cs-name-condition",
    "`cloudformation:ChangeSetName` lets a change set be made, executed and deleted by its name and its stack's.",
)
def name_condition(bench: Bench) -> Seen:
    stack, renewal = role_stack(bench), renewal_client(bench)
    other = outcome(
        renewal.create_change_set,
        StackName=stack,
        ChangeSetName=f"other-{bench.run}",
        UsePreviousTemplate=True,
        Parameters=words("x"),
    )
    change_set(bench, stack, renewal, f"stackcert-{bench.run}-n", Parameters=words("named"))
    deleted = outcome(renewal.delete_change_set, StackName=stack, ChangeSetName=f"stackcert-{bench.run}-n")
    change_set(bench, stack, renewal, f"stackcert-{bench.run}-e", Parameters=words("executed"))
    done = outcome(renewal.execute_change_set, StackName=stack, ChangeSetName=f"stackcert-{bench.run}-e")
    bench.settled(stack)
    holds = other[1].startswith("AccessDenied") and not deleted[1] and not done[1]
    return decided(holds, f"other name {other}, delete {deleted}, execute {done}")


@claim(
    "cs-keeps-service-role",
    "A change set without RoleARN, made by a caller without iam:PassRole, goes on with the stack's service role.",
)
def keeps_service_role(bench: Bench) -> Seen:
    stack, renewal = role_stack(bench), renewal_client(bench)
    name = f"stackcert-{bench.run}-role"
    change_set(bench, stack, renewal, name, Parameters=words("role"))
    done = outcome(renewal.execute_change_set, StackName=stack, ChangeSetName=name)
    status = bench.settled(stack)
    role = bench.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0].get("RoleARN")
    return decided(not done[1] and status == "UPDATE_COMPLETE" and bool(role), f"{done}, {status}, role {bool(role)}")


@claim(
    "cs-custom-resource-causes",
    "A change set names `Resource.Attribute` of a custom resource as the cause of a change that follows from it.",
)
def custom_resource_causes(bench: Bench) -> Seen:
    custom = desk(bench).resource(Value={"Ref": "Word"})
    template = PLAIN | {"Resources": {"Asked": custom, "Follows": _parameter({"Fn::GetAtt": "Asked.Value"})}}
    stack = bench.stack(template)
    made, _ = change_set(bench, stack, Parameters=words("2"))
    changes = bench.client("cloudformation").describe_change_set(ChangeSetName=made)["Changes"]
    found = [
        f"{detail['ChangeSource']} {detail.get('CausingEntity', '-')} ({detail.get('Evaluation', '-')})"
        for change in changes
        if change["ResourceChange"]["LogicalResourceId"] == "Follows"
        for detail in change["ResourceChange"]["Details"]
    ]
    return decided(any("Asked.Value" in each for each in found), found or "the follower is not listed")


@claim("cs-executing-removes-others", "Executing a change set removes the others of its stack.")
def executing_removes_others(bench: Bench) -> Seen:
    stack, cloudformation = bench.stack(PLAIN), bench.client("cloudformation")
    other, _ = change_set(bench, stack, Parameters=words("other"))
    mine, _ = change_set(bench, stack, Parameters=words("mine"))
    cloudformation.execute_change_set(ChangeSetName=mine)
    bench.settled(stack)
    left = cloudformation.list_change_sets(StackName=stack)["Summaries"]
    found = [f"{each['ChangeSetName'].split('-')[-1]} {each.get('ExecutionStatus')}" for each in left]
    return decided(not any(each["ChangeSetId"] == other for each in left), f"left: {found}")


@claim(
    "cs-transform-permission",
    "CreateChangeSet of a template with `Transform: AWS::LanguageExtensions` needs a permission on `transform/`.",
    not_local="the local cloud has no transforms",
)
def transform_permission(bench: Bench) -> Seen:
    stack = bench.stack(PLAIN | {"Transform": "AWS::LanguageExtensions"}, wait=False)
    bench.settled(stack)
    said = refusal(bench, stack, "t", Parameters=words("t"), Capabilities=["CAPABILITY_AUTO_EXPAND"])
    return decided("transform" in said, said or "made")


@claim(
    "cs-nested-names",
    "Change sets of nested stacks are made under names that begin with the name of the outer one.",
    not_local="the local cloud has no nested stacks",
)
def nested_names(bench: Bench) -> Seen:
    bucket = bench.bucket("nested")
    bench.client("s3").put_object(Bucket=bucket, Key="inner.json", Body=json.dumps(PLAIN).encode())
    suffix = "amazonaws.com.cn" if bench.place.partition == "aws-cn" else "amazonaws.com"
    address = f"https://{bucket}.s3.{bench.place.region}.{suffix}/inner.json"
    inner = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": address, "Parameters": {"Word": {"Ref": "Word"}}},
    }
    stack = bench.stack(PLAIN | {"Resources": {"Inner": inner}})
    made, status = change_set(
        bench, stack, None, f"stackcert-{bench.run}-o", Parameters=words("2"), IncludeNestedStacks=True
    )
    changes = bench.client("cloudformation").describe_change_set(ChangeSetName=made)["Changes"]
    names = [c["ResourceChange"]["ChangeSetId"].split("/")[1] for c in changes if "ChangeSetId" in c["ResourceChange"]]
    bench.client("cloudformation").delete_change_set(ChangeSetName=made)
    return decided(bool(names) and all(n.startswith("stackcert-") for n in names), f"{status}: {names}")


@claim(
    "cs-how-fast",
    "A change set of one resource is made within a minute, and described within a second.",
    not_local="its time is not AWS's",
)
def how_fast(bench: Bench) -> Seen:
    stack = bench.stack(PLAIN)
    began = time.monotonic()
    made, _ = change_set(bench, stack, Parameters=words("fast"))
    making = time.monotonic() - began
    began = time.monotonic()
    bench.client("cloudformation").describe_change_set(ChangeSetName=made)
    describing = time.monotonic() - began
    evidence = f"made within {making:.1f} s (asked every 5 s), described in {describing:.2f} s"
    return decided(making < 60 and describing < 1, evidence)
