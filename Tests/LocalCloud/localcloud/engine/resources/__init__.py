"""The resource types that templates may use here. Each acts through AWS's API with the stack's own credentials."""

from __future__ import annotations

from localcloud.engine.resource_type import ResourceType
from localcloud.engine.resources import (
    cloudfront,
    cloudtrail,
    cloudwatch,
    ec2,
    elb,
    elbv2,
    events,
    iam,
    iam_policies,
    kms,
    lambda_,
    launch_configurations,
    logs,
    route53,
    s3,
    sns,
    sqs,
    ssm,
)

_MODULES = (
    cloudfront,
    cloudtrail,
    cloudwatch,
    ec2,
    elb,
    elbv2,
    events,
    iam,
    iam_policies,
    kms,
    lambda_,
    launch_configurations,
    logs,
    route53,
    s3,
    sns,
    sqs,
    ssm,
)


def all_types() -> dict[str, ResourceType]:
    """One handler per CloudFormation type name, without custom resources and auto scaling groups."""
    found: dict[str, ResourceType] = {}
    for module in _MODULES:
        for item in vars(module).values():
            if isinstance(item, type) and issubclass(item, ResourceType) and item.__module__ == module.__name__:
                found[item.name] = item()
    return found
