"""What happens between accounts: renewal assumes a role in each of the others."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from on_aws.bench import TAG, Bench, allow, outcome
from on_aws.claims import Seen, claim, decided

SERVICE = "Other accounts"


@claim(
    "accounts-resource-account",
    "`aws:ResourceAccount` limits sts:AssumeRole to roles of the accounts that it lists.",
    needs="other-profile",
)
def resource_account(bench: Bench) -> Seen:
    assert bench.place.other_account is not None
    iam = bench.place.other_account("iam")
    other = bench.place.other_account("sts").get_caller_identity()["Account"]
    name = bench.name("renewal")
    found = {}
    for listed in (other, "000000000000"):
        condition = {"StringEquals": {"aws:ResourceAccount": [listed]}}
        found[listed] = bench.role(
            allow("sts:AssumeRole", f"arn:{bench.place.partition}:iam::*:role/{TAG}/*", **condition)
        )
    bench.undo(f"role {name} of the other account", lambda: iam.delete_role(RoleName=name))
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": list(found.values())}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def made() -> str | None:
        try:
            return iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, Path=f"/{TAG}/", Tags=bench.tags)[
                "Role"
            ]["Arn"]
        except ClientError as error:
            # The new roles are not known everywhere yet.
            if error.response["Error"]["Code"] != "MalformedPolicyDocument":
                raise
            return None

    role = bench.wait("that the other account knows the roles", made, 90)
    listed_client = bench.client("sts", bench.credentials(found[other]))

    def assumed() -> tuple[int, str] | None:
        seen = outcome(listed_client.assume_role, RoleArn=role, RoleSessionName="proof")
        return seen if not seen[1] else None

    try:
        first = bench.wait("that the role can be assumed", assumed, 60)
    except Exception as error:
        return decided(False, error)
    unlisted = bench.client("sts", bench.credentials(found["000000000000"]))
    second = outcome(unlisted.assume_role, RoleArn=role, RoleSessionName="proof")
    return decided(second[1] == "AccessDenied", f"listed {first}, not listed {second}")
