"""Which action on which resource an operation of any service but S3 needs, with the roles that it passes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

from localcloud.authz import certificate_resources
from localcloud.gateway.call import Call
from localcloud.gateway.operations import action_prefix

# Operations that carry another name in IAM.
_RENAMED = {
    ("cloudfront", "CreateDistributionWithTags"): "CreateDistribution",
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("sns", "PublishBatch"): "Publish",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
}
# Parameter that names the resource, and the resource's ARN: {r} region, {a} account, {v} the value.
_PATTERNS: dict[str, list[tuple[str, str]]] = {
    "autoscaling": [
        ("AutoScalingGroupName", "arn:aws:autoscaling:{r}:{a}:autoScalingGroup:*:autoScalingGroupName/{v}")
    ],
    "cloudtrail": [
        ("Name", "arn:aws:cloudtrail:{r}:{a}:trail/{v}"),
        ("TrailName", "arn:aws:cloudtrail:{r}:{a}:trail/{v}"),
    ],
    "cloudwatch": [
        ("AlarmName", "arn:aws:cloudwatch:{r}:{a}:alarm:{v}"),
        ("DashboardName", "arn:aws:cloudwatch::{a}:dashboard/{v}"),
    ],
    "dynamodb": [("TableName", "arn:aws:dynamodb:{r}:{a}:table/{v}")],
    "elb": [("LoadBalancerName", "arn:aws:elasticloadbalancing:{r}:{a}:loadbalancer/{v}")],
    "elbv2": [("ListenerArn", "{v}"), ("LoadBalancerArn", "{v}"), ("TargetGroupArn", "{v}")],
    "events": [("Rule", "arn:aws:events:{r}:{a}:rule/{v}"), ("Name", "arn:aws:events:{r}:{a}:rule/{v}")],
    "lambda": [("FunctionName", "arn:aws:lambda:{r}:{a}:function:{v}"), ("Resource", "{v}")],
    "logs": [("logGroupName", "arn:aws:logs:{r}:{a}:log-group:{v}:*")],
    "secretsmanager": [("SecretId", "arn:aws:secretsmanager:{r}:{a}:secret:{v}")],
    "sns": [
        ("TopicArn", "{v}"),
        ("SubscriptionArn", "{v}"),
        ("ResourceArn", "{v}"),
        ("Name", "arn:aws:sns:{r}:{a}:{v}"),
    ],
    "stepfunctions": [("stateMachineArn", "{v}"), ("executionArn", "{v}")],
    "sts": [("RoleArn", "{v}")],
}
_UNBOUND_PREFIXES = ("List", "Describe")


def key_arn(key_id: str, region: str, account: str) -> str:
    """The ARN of a KMS key named by id, ARN, alias or alias ARN; the name as given when there is no such key."""
    if key_id.startswith("arn:"):
        parts = key_id.split(":")
        region, account, key_id = parts[3], parts[4], parts[5].removeprefix("key/")
    backend = kms_backends[account][region]
    if key_id.startswith("alias/"):
        found = backend.get_key_id_from_alias(f"arn:aws:kms:{region}:{account}:{key_id}")
        found = found or backend.get_key_id_from_alias(key_id)
        key_id = found or key_id
    return f"arn:aws:kms:{region}:{account}:key/{key_id}"


def _kms(call: Call, account: str) -> list[str]:
    found = []
    if call.operation in ("CreateAlias", "DeleteAlias", "UpdateAlias"):
        alias = call.params["AliasName"]
        found.append(f"arn:aws:kms:{call.region}:{account}:{alias}")
        if call.operation == "DeleteAlias":
            return [*found, key_arn(alias, call.region, account)]
    key = call.params.get("TargetKeyId") or call.params.get("KeyId")
    if not key and call.operation == "Decrypt":
        from moto.kms.utils import deserialize_ciphertext_blob

        key = deserialize_ciphertext_blob(call.params["CiphertextBlob"]).key_id
    return [*found, key_arn(key, call.region, account)] if key else found or ["*"]


def _iam(call: Call, account: str) -> list[str]:
    params, backend = call.params, iam_backends[account]["aws"]
    path = params.get("Path") or "/"
    if call.operation.endswith("InstanceProfile") and "InstanceProfileName" in params:
        name = params["InstanceProfileName"]
        profile = next((p for p in backend.instance_profiles.values() if p.name == name), None)
        return [profile.arn if profile else f"arn:aws:iam::{account}:instance-profile{path}{name}"]
    if "RoleName" in params:
        role = next((r for r in backend.roles.values() if r.name == params["RoleName"]), None)
        return [role.arn if role else f"arn:aws:iam::{account}:role{path}{params['RoleName']}"]
    if "ServerCertificateName" in params:
        return [certificate_resources.server_certificate(call, account)]
    if call.operation == "CreatePolicy":
        return [f"arn:aws:iam::{account}:policy{path}{params['PolicyName']}"]
    for parameter, kind in (
        ("PolicyArn", None),
        ("UserName", "user"),
        ("GroupName", "group"),
    ):
        if parameter in params:
            return [params[parameter] if kind is None else f"arn:aws:iam::{account}:{kind}/{params[parameter]}"]
    return ["*"]


def _sqs(call: Call, account: str) -> list[str]:
    url = call.params.get("QueueUrl")
    if url:
        owner, name = url.rstrip("/").split("/")[-2:]
        return [f"arn:aws:sqs:{call.region}:{owner}:{name}"]
    name = call.params.get("QueueName")
    return [f"arn:aws:sqs:{call.region}:{account}:{name}"] if name else ["*"]


def _cloudformation(call: Call, account: str) -> list[str]:
    name = call.params.get("StackName")
    from localcloud.engine.registry import stack_id_of

    change_set = call.params.get("ChangeSetName") or ""
    if not name and change_set.startswith("arn:"):
        from localcloud.engine.change_sets import stack_of

        name = stack_of(change_set)
    if not name:
        return ["*"]

    return [stack_id_of(name, call.region, account)]


def _ssm(call: Call, account: str) -> list[str]:
    names = call.params.get("Names") or [call.params.get("Name") or call.params.get("Path") or ""]
    return [_parameter(name, call.region, account) for name in names]


def _parameter(name: str, region: str, account: str) -> str:
    """AWS's own parameters (`/aws/service/…`) belong to no account."""
    if not name:
        return "*"
    if name.startswith("arn:"):
        return name
    owner = "" if name.startswith("/aws/service/") else account
    return f"arn:aws:ssm:{region}:{owner}:parameter/{name.lstrip('/')}"


_SPECIAL: dict[str, Callable[[Call, str], list[str]]] = {
    "acm": certificate_resources.acm,
    "cloudfront": certificate_resources.cloudfront,
    "kms": _kms,
    "iam": _iam,
    "route53": certificate_resources.route53,
    "sqs": _sqs,
    "ssm": _ssm,
    "cloudformation": _cloudformation,
}


def _by_pattern(call: Call, account: str) -> str:
    for parameter, pattern in _PATTERNS.get(call.service, []):
        value: Any = call.params.get(parameter)
        if isinstance(value, str) and value:
            if value.startswith("arn:"):
                return value
            return pattern.format(r=call.region, a=account, v=value.removeprefix("/hostedzone/"))
    return "*"


def _passed_roles(call: Call) -> list[tuple[str, str]]:
    """Roles that a service will use on behalf of the caller: (role ARN, service)."""
    params = call.params
    if call.service == "lambda" and call.operation in ("CreateFunction", "UpdateFunctionConfiguration"):
        return [(params["Role"], "lambda.amazonaws.com")] if params.get("Role") else []
    if call.service == "cloudformation" and params.get("RoleARN"):
        return [(params["RoleARN"], "cloudformation.amazonaws.com")]
    if call.service == "events" and call.operation == "PutTargets":
        return [
            (target["RoleArn"], "events.amazonaws.com") for target in params.get("Targets", []) if "RoleArn" in target
        ]
    if call.service == "stepfunctions" and params.get("roleArn"):
        return [(params["roleArn"], "states.amazonaws.com")]
    if call.service == "iam" and call.operation == "AddRoleToInstanceProfile":
        account = call.principal.account if call.principal else ""
        return [(arn, "ec2.amazonaws.com") for arn in _iam(Call("", "", [], b"", "iam", "GetRole", params), account)]
    return []


# The first of its kind in an account makes a role for the service. Accounts here never get one, so it is always asked.
_SERVICE_LINKED = {
    ("autoscaling", "CreateAutoScalingGroup"): "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    ("elb", "CreateLoadBalancer"): "elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing",
    ("elbv2", "CreateLoadBalancer"): "elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing",
}


def _transforms(call: Call, account: str) -> list[str]:
    """Macros are resources of CreateChangeSet beside the stack: a policy for stacks alone is refused
    (aws/serverless-application-model#179)."""
    from localcloud.engine import template
    from localcloud.engine.registry import template_of

    body = call.params.get("TemplateBody")
    parsed = template.load(body) if body else template_of(call.params["StackName"], call.region, account)
    return [
        f"arn:aws:cloudformation:{call.region}:aws:transform/{name.removeprefix('AWS::')}"
        if name.startswith("AWS::")
        else f"arn:aws:cloudformation:{call.region}:{account}:transform/{name}"
        for name in template.transforms(parsed)
    ]


def _on_behalf(call: Call, account: str) -> list[tuple[str, str, dict[str, str]]]:
    """What a service asks of its caller besides the operation's own permission."""
    found: list[tuple[str, str, dict[str, str]]] = []
    if (call.service, call.operation) in _SERVICE_LINKED:
        role = f"arn:aws:iam::{account}:role/aws-service-role/{_SERVICE_LINKED[call.service, call.operation]}"
        found.append(("iam:CreateServiceLinkedRole", role, {}))
    if call.service == "cloudformation" and call.operation == "CreateChangeSet":
        found += [("cloudformation:CreateChangeSet", arn, {}) for arn in _transforms(call, account)]
    if call.service == "autoscaling" and "LaunchTemplate" in call.params:
        # Whoever makes or changes a group of a launch template must be allowed to start its instances.
        found.append(("ec2:RunInstances", "*", {}))
    if (call.service, call.operation) == ("cloudfront", "CreateDistributionWithTags"):
        found.append(("cloudfront:TagResource", f"arn:aws:cloudfront::{account}:distribution/*", {}))
    return found


def required(call: Call, account: str) -> list[tuple[str, str, dict[str, str]]]:
    """(action, resource ARN, further condition keys), the operation's own first, then iam:PassRole."""
    action = f"{action_prefix(call.service)}:{_RENAMED.get((call.service, call.operation), call.operation)}"
    special = _SPECIAL.get(call.service)
    if special:
        resources = special(call, account)
    elif call.operation.startswith(_UNBOUND_PREFIXES) and call.service in (
        "autoscaling",
        "elb",
        "elbv2",
        "cloudwatch",
        "lambda",
    ):
        resources = [_by_pattern(call, account) if call.service == "lambda" else "*"]
    else:
        resources = [_by_pattern(call, account)]
    wanted = [action, *certificate_resources.also_needed(call)]
    needed: list[tuple[str, str, dict[str, str]]] = [(each, resource, {}) for each in wanted for resource in resources]
    needed += _on_behalf(call, account)
    for role, service in _passed_roles(call):
        needed.append(("iam:PassRole", role, {"iam:passedtoservice": service}))
    return needed
