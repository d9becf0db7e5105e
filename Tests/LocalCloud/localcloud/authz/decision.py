"""How identity policies and a resource's own policy combine into one answer."""

from __future__ import annotations

from dataclasses import dataclass

from localcloud.authz.documents import Request, identity_outcome, resource_outcome

ALLOW, IMPLICIT_DENY, EXPLICIT_DENY = "allow", "implicit deny", "explicit deny"


@dataclass(frozen=True)
class ResourcePolicy:
    """A resource's policy document (None when it has none) and its owner's account id.

    `exclusive` is KMS's rule: identity policies count only as far as the key policy delegates to the account.
    """

    document: str | None
    owner: str
    exclusive: bool = False


def decide(request: Request, resource_policy: ResourcePolicy | None) -> str:
    """`allow`, `implicit deny` or `explicit deny`. An explicit Deny anywhere wins."""
    principal = request.principal
    identity = identity_outcome(principal.policies(), request)
    bounds = [identity_outcome([document], request) for document in principal.bounds()]
    resource = None
    if resource_policy and resource_policy.document:
        resource = resource_outcome(resource_policy.document, request)
    if "deny" in (identity, resource, *bounds):
        return EXPLICIT_DENY
    if principal.kind in ("service", "anonymous"):
        return ALLOW if resource == "direct" else IMPLICIT_DENY
    by_identity = identity == "allow" and all(bound == "allow" for bound in bounds)
    if resource_policy and resource_policy.owner != principal.account:
        return ALLOW if by_identity and resource else IMPLICIT_DENY
    if resource == "direct":
        return ALLOW
    if resource_policy and resource_policy.exclusive:
        return ALLOW if by_identity and resource == "account" else IMPLICIT_DENY
    return ALLOW if by_identity else IMPLICIT_DENY
