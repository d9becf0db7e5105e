"""Templates: what they resolve to, and what is refused aloud."""

import json

import pytest
from botocore.exceptions import ClientError

from localcloud.accounts import trust
from localcloud.engine import ordering, parameters, template
from localcloud.engine.errors import ValidationError
from localcloud.engine.intrinsics import Resolver, Scope

from .support import allow

PARAMETER = "Type: AWS::SSM::Parameter\n    Properties: { Type: String, Value: "


def one_parameter(value: str, before: str = "") -> str:
    return f"{before}\nResources:\n  It:\n    {PARAMETER}{value} }}\nOutputs:\n  Out: {{ Value: !GetAtt It.Value }}\n"


def resolver(body: str, **values) -> Resolver:
    parsed = template.load(body)
    return Resolver(
        Scope(
            parsed,
            values,
            {"AWS::Region": "us-east-1", "AWS::AccountId": "1"},
            lambda name: f"id-of-{name}",
            lambda name, attribute: f"{attribute}-of-{name}",
            lambda name: f"imported-{name}",
        )
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref P", "given"),
        ("!Ref Other", "id-of-Other"),
        ("!GetAtt Other.Arn.Part", "Arn.Part-of-Other"),
        ('{ "Fn::GetAtt": [Other, Arn] }', "Arn-of-Other"),
        (
            '!Sub "${P}-${Other}-${Other.Arn}-${AWS::AccountId}-${!literal}"',
            "given-id-of-Other-Arn-of-Other-1-${literal}",
        ),
        ("!Sub ['${X}${P}', { X: !Ref Other }]", "id-of-Othergiven"),
        ("!Join ['/', [a, !Ref P, 3]]", "a/given/3"),
        ("!Select [1, !Split [',', 'a,b,c']]", "b"),
        ("!If ['Yes', y, n]", "y"),
        ("!If ['No', y, !Ref P]", "given"),
        ("!FindInMap [M, !Ref AWS::Region, k]", "mapped"),
        ("!Base64 abc", "YWJj"),
        ("!ImportValue x", "imported-x"),
        ("!GetAZs ''", ["us-east-1a", "us-east-1b", "us-east-1c"]),
        ("{ a: !Ref AWS::NoValue, b: [!Ref AWS::NoValue, 1] }", {"b": [1]}),
        ("2012-10-17", "2012-10-17"),
    ],
)
def test_an_intrinsic_function(value, expected):
    body = f"""
Parameters: {{ P: {{ Type: String }} }}
Mappings: {{ M: {{ us-east-1: {{ k: mapped }} }} }}
Conditions:
  Yes: !And [!Equals [!Ref P, given], !Not [!Condition 'No']]
  No: !Or [!Equals [a, b], !Equals [true, "false"]]
Resources:
  Other: {{ Type: AWS::SQS::Queue }}
  It: {{ Type: AWS::SQS::Queue, Metadata: {{ V: {value} }} }}
"""
    made = resolver(body, P="given")
    assert made.value(template.load(body)["Resources"]["It"]["Metadata"]["V"]) == expected


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("Resources: {}", "At least one Resources member"),
        ("Resource: {}", "Invalid template property"),
        ("Resources: { A: { Type: X, Propertys: {} } }", "Invalid template resource property"),
        ("Resources: { A: { Type: X } }\nResources: { A: { Type: Y } }", "section Resources twice"),
        ("Resources: { A: { Type: X, Condition: C } }", "Unresolved condition"),
        ("Resources: { A: { Type: X, DeletionPolicy: Snapshot } }", "DeletionPolicy Snapshot"),
        ("Resources: { A: { Type: X, Properties: { P: !Ref B } } }", "Unresolved resource dependencies ['B']"),
        ("Resources: { A: { Type: X, Properties: { P: !Sub '${B.Arn}' } } }", "Unresolved resource dependencies ['B']"),
        ("Resources: { A: { Type: X, DependsOn: B }, B: { Type: X, DependsOn: A } }", "Circular dependency"),
    ],
)
def test_a_malformed_template_is_refused(body, told):
    with pytest.raises(ValidationError) as error:
        ordering.dependencies(template.load(body))
    assert told in error.value.message


@pytest.mark.parametrize("value", ["!Cidr [a, b]", "!Transform { Name: x }", "'{{resolve:ssm:x}}'", "!Select [5, [a]]"])
def test_what_is_not_covered_is_never_ignored(value):
    body = f"Resources: {{ It: {{ Type: AWS::SQS::Queue, Metadata: {{ V: {value} }} }} }}"
    with pytest.raises(ValidationError):
        resolver(body).value(template.load(body)["Resources"]["It"]["Metadata"]["V"])


@pytest.mark.parametrize(
    ("declaration", "given", "told"),
    [
        ("{ Type: String }", {}, "must have values"),
        ("{ Type: String, AllowedValues: [a, b] }", {"P": "c"}, "AllowedValues"),
        ("{ Type: String, AllowedPattern: '[a-z]+' }", {"P": "a1"}, "pattern"),
        ("{ Type: String, AllowedPattern: x, ConstraintDescription: be x }", {"P": "y"}, "be x"),
        ("{ Type: String, MaxLength: 2 }", {"P": "abc"}, "length"),
        ("{ Type: Number }", {"P": "x"}, "number"),
        ("{ Type: Number, MaxValue: 3 }", {"P": "4"}, "range"),
        ("{ Type: Strange }", {"P": "4"}, "Unrecognized parameter type"),
        ("{ Type: String, Default: x }", {"Q": "4"}, "do not exist in the template"),
    ],
)
def test_a_parameter_out_of_its_bounds_is_refused(declaration, given, told):
    parsed = template.load(f"Parameters: {{ P: {declaration} }}\nResources: {{ A: {{ Type: X }} }}")
    with pytest.raises(ValidationError) as error:
        parameters.complete(parsed, given)
    assert told in error.value.message


def test_lists_and_stored_parameters_and_secrets():
    body = """
Parameters:
  L: { Type: CommaDelimitedList, Default: "a, b" }
  S: { Type: "AWS::SSM::Parameter::Value<String>", Default: /p }
  N: { Type: String, NoEcho: true, Default: secret }
Resources: { A: { Type: X } }
"""
    parsed = template.load(body)
    raw = parameters.complete(parsed, {})
    assert parameters.resolved(parsed, raw, lambda name: f"<{name}>") == {"L": ["a", "b"], "S": "</p>", "N": "secret"}
    shown = parameters.shown(parsed, raw, {"S": "</p>"})
    assert {"ParameterKey": "N", "ParameterValue": "****"} in shown
    assert {"ParameterKey": "S", "ParameterValue": "/p", "ResolvedValue": "</p>"} in shown


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        ("Type: AWS::DynamoDB::Table", "resource type AWS::DynamoDB::Table"),
        ("Type: AWS::SQS::Queue\n    Properties: { FifoQueue: true }", "AWS::SQS::Queue with FifoQueue"),
        ("Type: AWS::S3::BucketPolicy\n    Properties: { Bucket: x }", "required key"),
        (PARAMETER + "!GetAtt Queue.Nothing }", "no attribute Nothing"),
    ],
)
def test_an_unsupported_resource_fails_the_stack(cloud, resource, told):
    body = f"Resources:\n  Queue: {{ Type: AWS::SQS::Queue }}\n  It:\n    {resource}\n"
    name = f"unsupported-{abs(hash(told))}"
    result = cloud.stacks.create(name, body)
    assert result.status == "ROLLBACK_COMPLETE"
    assert any(told in reason for reason in result.reasons()), result.reasons()


def test_exports_imports_and_their_locks(cloud):
    exporting = one_parameter("!Ref V", before="Parameters: { V: { Type: String, Default: one } }").replace(
        "Out: { Value: !GetAtt It.Value }", "Out: { Value: !GetAtt It.Value, Export: { Name: the-value } }"
    )
    importing = one_parameter("!ImportValue the-value")
    assert "No export named" in cloud.stacks.create("too-early", importing).reasons()[0]
    assert cloud.stacks.create("exporter", exporting).outputs == {"Out": "one"}
    assert cloud.stacks.create("importer", importing).outputs == {"Out": "one"}
    changed = cloud.stacks.update("exporter", parameters={"V": "two"})
    assert changed.status == "UPDATE_ROLLBACK_COMPLETE" and "in use by importer" in changed.reasons("ROLLBACK_IN")[0]
    with pytest.raises(ClientError, match="in use by importer"):
        cloud.stacks.delete("exporter")
    # Without the import the export is free (User Guide, "Get exported outputs from a deployed CloudFormation stack").
    broken = one_parameter("''").replace("Type: String, Value", "Type: Nonsense, Value")
    assert cloud.stacks.update("importer", broken).status == "UPDATE_ROLLBACK_COMPLETE"
    assert cloud.stacks.update("exporter", parameters={"V": "two"}).status == "UPDATE_ROLLBACK_COMPLETE"
    assert cloud.stacks.update("importer", one_parameter("three")).outputs == {"Out": "three"}
    assert cloud.stacks.update("exporter", parameters={"V": "two"}).outputs == {"Out": "two"}
    assert cloud.stacks.delete("importer").status == "DELETE_COMPLETE"
    assert cloud.stacks.delete("exporter").status == "DELETE_COMPLETE"


def test_retained_resources_stay(cloud):
    body = """
Parameters: { Name: { Type: String, Default: kept-one } }
Resources:
  Kept:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties: { BucketName: !Ref Name }
  Gone: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub "${Name}-gone" } }
"""
    cloud.stacks.create("retaining", body)
    replaced = cloud.stacks.update("retaining", parameters={"Name": "kept-two"})
    assert replaced.status == "UPDATE_COMPLETE"
    cloud.stacks.delete("retaining")
    names = {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}
    assert {"kept-one", "kept-two"} <= names and not {"kept-one-gone", "kept-two-gone"} & names


def test_a_stack_acts_with_its_roles_permissions(cloud):
    trust_policy = trust(services=["cloudformation.amazonaws.com"])
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="for-stacks", AssumeRolePolicyDocument=trust_policy)["Role"]["Arn"]
    body = "Resources: { Queue: { Type: AWS::SQS::Queue } }"
    result = cloud.stacks.create("powerless", body, RoleARN=role)
    assert result.status == "ROLLBACK_COMPLETE" and "sqs:CreateQueue" in result.reasons()[0]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow(["sqs:CreateQueue", "sqs:DeleteQueue"], "*")]})
    iam.put_role_policy(RoleName="for-stacks", PolicyName="queues", PolicyDocument=policy)
    assert cloud.stacks.create("able", body, RoleARN=role).status == "CREATE_COMPLETE"
    assert cloud.recorder.decisions("assumed-role/for-stacks")[-1].allowed


def test_do_nothing_and_a_creation_that_takes_too_long(cloud, template):
    stopped = cloud.stacks.create("stopped", template, {"Fail": "Create"}, OnFailure="DO_NOTHING")
    assert stopped.status == "CREATE_FAILED" and cloud.stacks.delete("stopped").status == "DELETE_COMPLETE"
    late = cloud.stacks.create("too-late", template, {"Sleep": "3"}, TimeoutInMinutes=1)
    assert late.status.startswith("ROLLBACK_")
    assert "Resource creation cancelled" in late.reasons("CREATE_FAILED")


def test_a_topic_may_be_the_service_token(cloud, template):
    subscribed = template.replace(
        "      ServiceToken: !GetAtt Function.Arn\n      ServiceTimeout: !Ref Timeout",
        "      ServiceToken: !Ref Topic\n      ServiceTimeout: !Ref Timeout",
    ).replace(
        "  Pointer:\n",
        "  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n"
        "      Subscription: [{ Protocol: lambda, Endpoint: !GetAtt Function.Arn }]\n  Pointer:\n",
    )
    result = cloud.stacks.create("by-topic", subscribed)
    assert result.status == "CREATE_COMPLETE", result.reasons()
    assert cloud.recorder.calls_named("sns:Publish")


def test_capabilities_and_protection(cloud, template):
    client = cloud.client("cloudformation")
    with pytest.raises(ClientError, match="CAPABILITY_IAM"):
        client.create_stack(StackName="bare", TemplateBody=template)
    body = "Resources: { Queue: { Type: AWS::SQS::Queue } }"
    cloud.stacks.create("protected", body, EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection"):
        cloud.stacks.delete("protected")
    client.update_termination_protection(StackName="protected", EnableTerminationProtection=False)
    assert cloud.stacks.delete("protected").status == "DELETE_COMPLETE"
    with pytest.raises(ClientError) as error:
        client.describe_stack_drift_detection_status(StackDriftDetectionId="x")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.parametrize("given", ["yaml", "json"])
def test_of_a_key_given_twice_the_last_one_counts(given):
    """A whole Properties, one property, and a logical id."""
    body = """
Resources:
  It: { Type: AWS::SNS::Topic }
  It:
    Type: AWS::SSM::Parameter
    Properties: { Type: String, Value: first }
    Properties: { Type: String, Value: second, Value: last }
"""
    as_json = (
        '{"Resources": {"It": {"Type": "AWS::SNS::Topic"}, "It": {"Type": "AWS::SSM::Parameter", "Properties": '
        '{"Value": "first"}, "Properties": {"Type": "String", "Value": "second", "Value": "last"}}}}'
    )
    found = template.load(body if given == "yaml" else as_json)
    wanted = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "last"}}
    assert found["Resources"] == {"It": wanted}
