"""Cases of the contract that are facts of the templates."""

from __future__ import annotations

import pytest
from support import documents

# Lambda tries an asynchronous event three times, about one and two minutes apart.
TRIES, PAUSES = 3, 60 + 120

CERTIFICATES = [
    (name, logical_id)
    for name in documents.NAMES
    for logical_id, resource in documents.read(name)["Resources"].items()
    if resource["Type"].startswith("Custom::")
]


def provider():
    return documents.read("provider")


def function():
    return provider()["Resources"]["Function"]["Properties"]


def parameter(name):
    return provider()["Parameters"][name]


def allowed(template):
    """Every action that a part of the template allows; one that depends on a condition with the condition around it."""
    return {
        str(action)
        for _, document in documents.policies(template)
        for statement in documents.statements(document)
        if statement["Effect"] == "Allow"
        for action in documents.listed(statement["Action"])
    }


def test_there_are_certificates_in_the_templates():
    assert CERTIFICATES


@pytest.mark.contract(21)
@pytest.mark.parametrize(("name", "logical_id"), CERTIFICATES)
def test_a_stack_waits_a_little_longer_than_the_function_may_take(name, logical_id):
    timeout = int(documents.read(name)["Resources"][logical_id]["Properties"]["ServiceTimeout"])
    needed = TRIES * int(parameter("TimeoutSeconds")["Default"]) + PAUSES
    assert needed < timeout <= min(needed + 300, 3600)


@pytest.mark.contract(22)
def test_the_function_ends_within_lambdas_time_and_cannot_invoke_itself():
    assert function()["Timeout"] == {"Ref": "TimeoutSeconds"}
    assert int(parameter("TimeoutSeconds")["MaxValue"]) <= 900
    actions = allowed(provider())
    assert actions
    assert not [action for action in actions if "lambda:" in action or "states:" in action]


@pytest.mark.contract(23)
def test_the_functions_address_follows_from_the_stacks_name_alone():
    assert function()["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-backend-certificate"}
    arn = provider()["Outputs"]["ProviderArn"]["Value"]
    assert arn in ({"Fn::GetAtt": "Function.Arn"}, {"Fn::GetAtt": ["Function", "Arn"]})


@pytest.mark.contract(3, 19)
def test_an_event_comes_again_for_fifteen_minutes_at_most():
    invocation = provider()["Resources"]["FunctionInvocation"]["Properties"]
    assert invocation["MaximumEventAgeInSeconds"] == 900
    assert invocation["MaximumRetryAttempts"] == TRIES - 1


@pytest.mark.contract(11)
def test_the_function_may_tell_absent_from_forbidden():
    assert {"s3:ListBucket", "s3:ListBucketVersions"} <= allowed(provider()["Resources"]["FunctionPolicy"])
