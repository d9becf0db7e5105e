"""The providers' policies as they are in force, and their variants: one action less, one resource or condition wider.

What a policy says is enumerated from the template, so that a test exists for every part of it by name; the variant is
made of the document that is in force, so that it is tried in the running cloud."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.kms.models import kms_backends

from support import documents
from support.provider import Provider

# Logical id of the resource in provider.yml, and the property that holds the document.
HOLDERS = {
    "FunctionPolicy": "PolicyDocument",
    "RenewalPolicy": "PolicyDocument",
    "CertificateKey": "KeyPolicy",
    "CertificateBucketPolicy": "PolicyDocument",
    "StateBucketPolicy": "PolicyDocument",
    "AuditBucketPolicy": "PolicyDocument",
    "FailureQueuePolicy": "PolicyDocument",
}
# The same of lets-encrypt-provider.yml.
LETS_ENCRYPT = {"LetsEncryptPolicy": "PolicyDocument"}
# The same of deployer-role.yml.
DEPLOYER = {"DeployerPolicy": "PolicyDocument"}
_NOWHERE = "arn:aws:s3:::nowhere/*"
# Of the policies of roles: the name within the role.
_ROLES = {
    "FunctionPolicy": "backend-certificate",
    "RenewalPolicy": "stack-renewal",
    "LetsEncryptPolicy": "lets-encrypt-certificate",
    "DeployerPolicy": "application-stacks",
}
_IMPOSSIBLE = {"StringEquals": {"aws:PrincipalAccount": "000000000000"}}


@dataclass(frozen=True)
class Part:
    """One part of one statement: an action, a resource, a condition's key, or (of a refusal) the whole."""

    holder: str
    sid: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.holder}/{self.sid}/{self.kind} {self.name}".rstrip()


def _declared(holder: str) -> list[dict[str, Any]]:
    elsewhere = {**dict.fromkeys(LETS_ENCRYPT, "lets-encrypt-provider"), **dict.fromkeys(DEPLOYER, "deployer-role")}
    template = elsewhere.get(holder, "provider")
    element = {**HOLDERS, **LETS_ENCRYPT, **DEPLOYER}[holder]
    document = documents.read(template)["Resources"][holder]["Properties"][element]
    return list(documents.statements(document))


def _resources(statement: dict[str, Any]) -> str:
    """The element that says where the statement holds."""
    return "Resource" if "Resource" in statement else "NotResource"


def actions(holder: str, effect: str) -> list[Part]:
    """Every action of every statement with this effect."""
    return [
        Part(holder, statement["Sid"], "without", action)
        for statement in _declared(holder)
        if statement["Effect"] == effect
        for action in documents.actions(statement)
    ]


def widenings(holder: str) -> list[Part]:
    """Every way in which a part of the document could let more through."""
    found = []
    for statement in _declared(holder):
        sid = statement["Sid"]
        if (resources := statement[_resources(statement)]) != "*":
            found += [
                Part(holder, sid, "resource", str(number)) for number, _ in enumerate(documents.listed(resources))
            ]
        for operator, pairs in (documents.branch(statement.get("Condition")) or {}).items():
            found += [Part(holder, sid, "condition", f"{operator} {key}") for key in documents.branch(pairs)]
        if statement["Effect"] == "Deny":
            found.append(Part(holder, sid, "gone", ""))
    return found + actions(holder, "Deny")


def variant(document: dict[str, Any], part: Part) -> dict[str, Any]:
    """The document with this part taken away (an action) or widened (the rest)."""
    changed = copy.deepcopy(document)
    statement = next(s for s in changed["Statement"] if s["Sid"] == part.sid)
    refusal = statement["Effect"] == "Deny"
    if part.kind == "gone":
        changed["Statement"].remove(statement)
    elif part.kind == "without":
        left = [action for action in documents.listed(statement["Action"]) if action != part.name]
        if left:
            statement["Action"] = left
        else:
            changed["Statement"].remove(statement)
    elif part.kind == "resource":
        element = _resources(statement)
        resources = documents.listed(statement[element])
        # A refusal lets more through where it reaches nothing.
        resources[int(part.name)] = _NOWHERE if refusal and element == "Resource" else "*"
        statement[element] = resources
    else:
        operator, key = part.name.split(" ")
        if refusal:
            # A narrower refusal is what lets more through.
            statement["Condition"] = {**statement["Condition"], **_IMPOSSIBLE}
        else:
            del statement["Condition"][operator][key]
    if not changed["Statement"]:
        # A policy needs a statement.
        changed["Statement"] = [{**statement, "Condition": _IMPOSSIBLE}]
    return changed


class InForce:
    """Reads and replaces the provider's policies, as an administrator does.

    `stack` is the one that has them, when it is not provider.yml's."""

    def __init__(self, provider: Provider, stack: str = ""):
        self._provider = provider
        self._stack = stack or provider.stack
        self._cloud = provider.cloud

    def _physical_id(self, holder: str) -> str:
        found = self._cloud.client("cloudformation").describe_stack_resource(
            StackName=self._stack, LogicalResourceId=holder
        )
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def _role(self, holder: str) -> str:
        return self._physical_id(holder.replace("Policy", "Role"))

    def read(self, holder: str) -> dict[str, Any]:
        cloud = self._cloud
        if holder in _ROLES:
            found = cloud.client("iam").get_role_policy(RoleName=self._role(holder), PolicyName=_ROLES[holder])
            return found["PolicyDocument"]
        if holder == "CertificateKey":
            key = self._provider.key_arn
            return json.loads(cloud.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        if holder == "FailureQueuePolicy":
            queue = {"QueueUrl": self._provider.queue_url, "AttributeNames": ["Policy"]}
            return json.loads(cloud.client("sqs").get_queue_attributes(**queue)["Attributes"]["Policy"])
        return json.loads(cloud.client("s3").get_bucket_policy(Bucket=self._physical_id(holder))["Policy"])

    def write(self, holder: str, document: dict[str, Any]) -> None:
        cloud, text = self._cloud, json.dumps(document)
        if holder in _ROLES:
            cloud.client("iam").put_role_policy(
                RoleName=self._role(holder), PolicyName=_ROLES[holder], PolicyDocument=text
            )
        elif holder == "CertificateKey":
            # Past the API: a variant may have taken away the permission to put the policy back.
            keys = kms_backends[cloud.account][cloud.region].keys
            keys[self._provider.key_arn.rsplit("/", 1)[1]].policy = text
        elif holder == "FailureQueuePolicy":
            cloud.client("sqs").set_queue_attributes(QueueUrl=self._provider.queue_url, Attributes={"Policy": text})
        else:
            cloud.client("s3").put_bucket_policy(Bucket=self._physical_id(holder), Policy=text)

    @contextlib.contextmanager
    def changed(self, part: Part) -> Iterator[None]:
        """The variant is in force inside, the policy itself again afterwards."""
        original = self.read(part.holder)
        self.write(part.holder, variant(original, part))
        try:
            yield
        finally:
            self.write(part.holder, original)
