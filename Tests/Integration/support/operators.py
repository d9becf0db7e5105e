"""People who renew by hand: the break-glass role, with what `stackcert renew` and `rotate` need besides."""

from __future__ import annotations

import json

from support.provider import Provider

_CLOUDFORMATION = (
    "DescribeStacks",
    "DescribeStackEvents",
    "CreateChangeSet",
    "DescribeChangeSet",
    "ListChangeSets",
    "ExecuteChangeSet",
    "DeleteChangeSet",
)


def session_of_an_operator(provider: Provider) -> dict[str, str]:
    """The variables of a session of that role."""
    cloud = provider.cloud
    state = f"arn:aws:s3:::{provider.state_bucket}"
    statements = [
        {"Action": "s3:ListBucket", "Resource": state},
        {"Action": "s3:GetObject", "Resource": [f"{state}/records/*", f"{state}/renewals/*"]},
        {"Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": f"{state}/renewals/*"},
        {
            "Action": [f"cloudformation:{action}" for action in _CLOUDFORMATION],
            "Resource": f"arn:aws:cloudformation:{cloud.region}:{cloud.account}:stack/*",
        },
        {
            "Action": "cloudformation:CreateChangeSet",
            "Resource": f"arn:aws:cloudformation:{cloud.region}:aws:transform/*",
        },
        # CloudFormation looks the stacks' SSM parameters up as whoever makes a change set.
        {"Action": "ssm:GetParameters", "Resource": f"arn:aws:ssm:{cloud.region}:{cloud.account}:parameter/*"},
    ]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | one for one in statements]}
    cloud.client("iam").put_role_policy(
        RoleName=f"{provider.stack}-break-glass", PolicyName="operator", PolicyDocument=json.dumps(document)
    )
    return cloud.environment_variables(cloud.session(provider.break_glass_role))
