"""CloudFormation: with whose permissions parameters are looked up."""

from __future__ import annotations

from typing import Any

from on_aws.bench import Bench, Inconclusive
from on_aws.claims import Seen, claim, decided
from on_aws.probes.change_sets import change_set, refusal, service_role, words

SERVICE = "CloudFormation, parameters"


def _stored(bench: Bench) -> str:
    """A stack with a service role whose parameter is in Parameter Store."""

    def make() -> str:
        ssm, name = bench.client("ssm"), f"/{bench.name('word')}"
        bench.undo(f"parameter {name}", lambda: ssm.delete_parameter(Name=name))
        ssm.put_parameter(Name=name, Value="stored", Type="String", Tags=bench.tags)
        template = {
            "Parameters": {"Word": {"Type": "AWS::SSM::Parameter::Value<String>"}},
            "Resources": {
                "Kept": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Word"}}}
            },
        }
        stack = bench.stack(template, RoleARN=service_role(bench), Parameters=words(name))
        # A new value of somebody else's: the next change set has something to change.
        ssm.put_parameter(Name=name, Value="stored again", Type="String", Overwrite=True)
        return stack

    return bench.shared("stack with a stored parameter", make)


@claim(
    "parameters-ssm-of-the-caller",
    "CreateChangeSet looks up SSM parameters with its caller's permissions: without ssm:GetParameters it is refused, "
    "although the stack has a service role that may.",
)
def ssm_of_the_caller(bench: Bench) -> Seen:
    said = refusal(bench, _stored(bench), "s", Parameters=words())
    return decided("ssm:GetParameters" in said, said or "made")


@claim("parameters-resolved-value", "DescribeStacks shows an SSM parameter's value as `ResolvedValue`.")
def resolved_value(bench: Bench) -> Seen:
    stack = bench.client("cloudformation").describe_stacks(StackName=_stored(bench))["Stacks"][0]
    return decided(stack["Parameters"][0].get("ResolvedValue") == "stored", stack["Parameters"][0].get("ResolvedValue"))


@claim(
    "parameters-resolved-in-change-set",
    "DescribeChangeSet shows the new value of an SSM parameter, not the one that the stack has, as `ResolvedValue`.",
    not_local="the local cloud leaves it out: what AWS shows there is not documented",
)
def resolved_in_change_set(bench: Bench) -> Seen:
    made, _ = change_set(bench, _stored(bench), Parameters=words())
    found = bench.client("cloudformation").describe_change_set(ChangeSetName=made)["Parameters"][0]
    return decided(found.get("ResolvedValue") == "stored again", found.get("ResolvedValue"))


@claim(
    "parameters-types-of-the-caller",
    "CreateChangeSet validates AWS-specific parameter types (here `AWS::EC2::VPC::Id`) with its caller's permissions.",
    not_local="the local cloud does not look up values of AWS-specific types",
)
def types_of_the_caller(bench: Bench) -> Seen:
    found = bench.client("ec2").describe_vpcs()["Vpcs"]
    if not found:
        raise Inconclusive("there is no VPC in this region")
    vpc = found[0]["VpcId"]
    template: dict[str, Any] = {
        "Parameters": {"Vpc": {"Type": "AWS::EC2::VPC::Id"}, "Word": {"Type": "String", "Default": "1"}},
        "Resources": {
            "Kept": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": {"Fn::Sub": "${Vpc} ${Word}"}},
            }
        },
    }
    stack = bench.stack(template, RoleARN=service_role(bench), Parameters=[*words(vpc, "Vpc"), *words("1")])
    said = refusal(bench, stack, "v", Parameters=[*words("", "Vpc"), *words("2")])
    return decided(bool(said), said or "made")
