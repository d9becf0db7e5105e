"""Judges each request: identity policies, the resource's own policy, and what S3 needs of KMS."""

from __future__ import annotations

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from localcloud.authz import actions, context, s3_actions
from localcloud.authz.decision import ALLOW, EXPLICIT_DENY, ResourcePolicy, decide
from localcloud.authz.documents import Request
from localcloud.authz.principals import Principal
from localcloud.authz.public_access import is_public
from localcloud.errors import AccessDenied, NotCoveredLocally
from localcloud.gateway.call import Call
from localcloud.recorder import Decision

# Everyone may ask who they are; AWS checks no permission for it.
_FREE = {"sts:GetCallerIdentity"}


def bucket(name: str | None):
    """The emulator's bucket object, or None."""
    found = s3_backends.bucket_accounts.get(name) if name else None
    return s3_backends[found[1]][found[0]].buckets.get(name) if found else None


def bucket_owner(name: str | None) -> str | None:
    found = s3_backends.bucket_accounts.get(name) if name else None
    return found[1] if found else None


def _bucket_policy(name: str) -> ResourcePolicy | None:
    found = bucket(name)
    if found is None:
        return None
    document = found.policy.decode() if isinstance(found.policy, bytes) else found.policy
    return ResourcePolicy(document, bucket_owner(name) or "")


def _key_policy(arn: str) -> ResourcePolicy | None:
    _, _, _, region, account, key = arn.split(":", 5)
    found = kms_backends[account][region].keys.get(key.removeprefix("key/"))
    return ResourcePolicy(found.policy, account, exclusive=True) if found else None


def _trust_policy(arn: str) -> ResourcePolicy | None:
    account = arn.split(":")[4]
    found = next((role for role in list(iam_backends[account]["aws"].roles.values()) if role.arn == arn), None)
    return ResourcePolicy(found.assume_role_policy_document, account, exclusive=True) if found else None


def _queue_policy(arn: str) -> ResourcePolicy | None:
    _, _, _, region, account, name = arn.split(":", 5)
    found = sqs_backends[account][region].queues.get(name)
    if not found:
        return ResourcePolicy(None, account)
    return ResourcePolicy(found.policy if isinstance(found.policy, str) else None, account)


def resource_policy(action: str, arn: str) -> ResourcePolicy | None:
    """The policy attached to the resource itself, for the kinds of resources whose policies are evaluated here."""
    service = action.split(":")[0]
    if service == "s3" and arn.startswith("arn:aws:s3:::"):
        return _bucket_policy(arn.removeprefix("arn:aws:s3:::").split("/")[0])
    if service == "kms" and ":key/" in arn:
        return _key_policy(arn)
    if action == "sts:AssumeRole" and arn.count(":") == 5:
        return _trust_policy(arn)
    if service == "sqs" and arn.startswith("arn:"):
        return _queue_policy(arn)
    return None


class Authorizer:
    """Decides, and hands each decision to `note` for the record."""

    def __init__(self, implicit_list_prefix: bool = True):
        self.implicit_list_prefix = implicit_list_prefix

    def check(self, principal: Principal, action: str, resource: str, keys: dict[str, str | list[str]]) -> Decision:
        """One permission, without raising."""
        policy = resource_policy(action, resource)
        if policy:
            keys = {**keys, "aws:resourceaccount": policy.owner}
        outcome = decide(Request(principal, action, resource, keys), policy)
        if outcome == ALLOW and action.startswith("s3:"):
            outcome = self._within_public_access_block(principal, resource, outcome)
        return Decision(principal.arn, action, resource, outcome)

    @staticmethod
    def _within_public_access_block(principal: Principal, resource: str, outcome: str) -> str:
        """RestrictPublicBuckets: a public policy serves only the owner's own account."""
        found = bucket(resource.removeprefix("arn:aws:s3:::").split("/")[0])
        block = found.public_access_block if found else None
        restricted = block is not None and str(getattr(block, "restrict_public_buckets", "")).lower() == "true"
        if restricted and found.policy and principal.account != bucket_owner(found.name):
            document = found.policy.decode() if isinstance(found.policy, bytes) else found.policy
            if is_public(document):
                return EXPLICIT_DENY
        return outcome

    def authorize(self, call: Call, decisions: list[Decision]) -> None:
        """Raise AccessDenied unless every permission that the call needs is given. Decisions are added as made."""
        assert call.principal is not None
        if call.name in _FREE:
            return
        keys = context.of_call(call)
        needed: list[tuple[str, str, dict[str, str]]] = []
        if call.service == "s3":
            pairs = s3_actions.required(call)
            if pairs is None and call.operation != "DeleteObjects":
                raise NotCoveredLocally(f"the permissions of s3:{call.operation}")
            needed = [(action, arn, {}) for action, arn in pairs or []]
        else:
            if call.principal.kind == "anonymous":
                raise AccessDenied("Request is missing Authentication Token")
            needed = actions.required(call, call.principal.account)
        for action, resource, more in needed:
            self.require(call.principal, action, resource, {**keys, **more}, decisions)

    def require(
        self,
        principal: Principal,
        action: str,
        resource: str,
        keys: dict[str, str | list[str]],
        decisions: list[Decision],
    ) -> None:
        decision = self.check(principal, action, resource, keys)
        decisions.append(decision)
        if not decision.allowed:
            because = "with an explicit deny" if decision.outcome == EXPLICIT_DENY else "because no policy allows it"
            raise AccessDenied(
                f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {because}"
            )
