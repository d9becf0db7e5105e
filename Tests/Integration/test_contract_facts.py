"""Cases of the contract that are facts of the templates."""

from __future__ import annotations

import pytest
from support import documents

# Lambda tries an asynchronous event three times, about one and two minutes apart, and begins none when it is older.
TRIES, PAUSES, AGE = 3, 60 + 120, 900
# Which template has the function that answers for a resource type, and what the logical ids of its parts begin with.
PROVIDERS = {
    "Custom::ElbBackendCertificate": ("provider", ""),
    "Custom::LetsEncryptCertificate": ("lets-encrypt-provider", "LetsEncrypt"),
}
each_provider = pytest.mark.parametrize(("name", "prefix"), PROVIDERS.values())

CERTIFICATES = [
    (name, logical_id)
    for name in documents.NAMES
    for logical_id, resource in documents.read(name)["Resources"].items()
    if resource["Type"].startswith("Custom::")
]


def properties(name, logical_id):
    return documents.read(name)["Resources"][logical_id]["Properties"]


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
    resource = documents.read(name)["Resources"][logical_id]
    timeout = int(resource["Properties"]["ServiceTimeout"])
    answering, _ = PROVIDERS[resource["Type"]]
    once = int(documents.read(answering)["Parameters"]["TimeoutSeconds"]["Default"])
    needed = min(TRIES * once + PAUSES, AGE + once)
    assert needed < timeout <= min(needed + 300, 3600)


@pytest.mark.contract(22)
@each_provider
def test_the_function_ends_within_lambdas_time_and_cannot_invoke_itself(name, prefix):
    template = documents.read(name)
    assert properties(name, f"{prefix}Function")["Timeout"] == {"Ref": "TimeoutSeconds"}
    assert int(template["Parameters"]["TimeoutSeconds"]["MaxValue"]) <= 900
    actions = allowed(template)
    assert actions
    assert not [action for action in actions if "lambda:" in action or "states:" in action]


@pytest.mark.contract(23)
@each_provider
def test_the_functions_address_follows_from_the_stacks_name_alone(name, prefix):
    function = f"{prefix}Function"
    handler = properties(name, function)["Handler"]
    assert properties(name, function)["FunctionName"] == {"Fn::Sub": f"${{AWS::StackName}}-{handler}"}
    arn = documents.read(name)["Outputs"][f"{prefix}ProviderArn"]["Value"]
    assert arn in ({"Fn::GetAtt": f"{function}.Arn"}, {"Fn::GetAtt": [function, "Arn"]})


@pytest.mark.contract(3, 19)
@each_provider
def test_an_event_comes_again_for_fifteen_minutes_at_most(name, prefix):
    invocation = properties(name, f"{prefix or 'Function'}Invocation")
    assert invocation["MaximumEventAgeInSeconds"] == AGE
    assert invocation["MaximumRetryAttempts"] == TRIES - 1


@pytest.mark.contract(11)
@each_provider
def test_the_function_may_tell_absent_from_forbidden(name, prefix):
    policy = documents.read(name)["Resources"][f"{prefix or 'Function'}Policy"]
    assert {"s3:ListBucket", "s3:ListBucketVersions"} <= allowed(policy)
