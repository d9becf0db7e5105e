"""Who signs a request: users and roles of the emulator's IAM, found by access key, with their policies of now."""

from __future__ import annotations

import secrets
import string
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from moto.iam.models import iam_backends

from localcloud.errors import AwsError

_ALPHABET = string.ascii_uppercase + string.digits


def random_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(16))


@dataclass(frozen=True)
class Principal:
    """A caller. `arn` is the user's or the session's, `identity_arn` the user's or the role's (with its path).

    `bounds` are documents each of which must allow as well: a permissions boundary, a session's own policy.
    """

    kind: str
    account: str
    arn: str
    identity_arn: str
    user_id: str
    policies: Callable[[], list[str]] = field(default=list, compare=False)
    bounds: Callable[[], list[str]] = field(default=list, compare=False)
    username: str | None = None


ANONYMOUS = Principal("anonymous", "anonymous", "anonymous", "anonymous", "anonymous")


def service_principal(name: str) -> Principal:
    return Principal("service", "service", name, name, name)


@dataclass(frozen=True)
class Credentials:
    """A session's credentials as STS hands them out. `expires` is in seconds since 1970."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None
    principal: Principal
    expires: float | None = None


def _managed_document(policy) -> str:
    return next(v.document for v in policy.versions if v.version_id == policy.default_version_id)


def _documents(holder) -> list[str]:
    return [*holder.policies.values(), *(_managed_document(policy) for policy in holder.managed_policies.values())]


def _user_documents(backend, user) -> list[str]:
    groups = [group for group in backend.groups.values() if user in group.users]
    return [document for holder in (user, *groups) for document in _documents(holder)]


class Principals:
    """Finds the owner of an access key, and opens sessions of roles."""

    def __init__(self) -> None:
        self._sessions: dict[str, Credentials] = {}
        self._lock = threading.Lock()

    def role(self, role_arn: str):
        """The emulator's role object; AccessDenied when there is none, as AWS does not tell the difference."""
        account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
        for role in list(iam_backends[account]["aws"].roles.values()) if account else []:
            if role.arn == role_arn:
                return role
        raise AwsError("AccessDenied", f"Not authorized to perform sts:AssumeRole on resource: {role_arn}", 403)

    def open_session(
        self, role_arn: str, name: str, duration: float = 3600, session_policy: str | None = None
    ) -> Credentials:
        """Credentials for a role, without asking who may have them: the caller has checked the trust policy."""
        role = self.role(role_arn)
        backend = iam_backends[role.account_id]["aws"]

        def current() -> list[str]:
            # Looked up at each use: a policy that changes while a function runs counts at once, nearly as on AWS.
            return _documents(role) if role.id in {r.id for r in list(backend.roles.values())} else []

        def bounds() -> list[str]:
            boundary = role.permissions_boundary_arn
            found = [_managed_document(backend.managed_policies[boundary])] if boundary else []
            return found + ([session_policy] if session_policy else [])

        principal = Principal(
            "role",
            role.account_id,
            f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{name}",
            role.arn,
            f"{role.id}:{name}",
            current,
            bounds,
        )
        credentials = Credentials(
            random_id("ASIA"), secrets.token_urlsafe(30), secrets.token_urlsafe(90), principal, time.time() + duration
        )
        with self._lock:
            self._sessions[credentials.access_key_id] = credentials
        return credentials

    def find(self, access_key_id: str) -> Credentials | None:
        """The credentials behind an access key id: a session opened here, or a user's key in the emulator's IAM."""
        session = self._sessions.get(access_key_id)
        if session:
            return session
        for account, partitions in list(iam_backends.items()):
            backend = partitions["aws"]
            for user in list(backend.users.values()):
                for key in user.access_keys:
                    if key.access_key_id == access_key_id and key.status == "Active":
                        principal = Principal(
                            "user",
                            account,
                            user.arn,
                            user.arn,
                            user.id,
                            lambda backend=backend, user=user: _user_documents(backend, user),
                            username=user.name,
                        )
                        return Credentials(access_key_id, key.secret_access_key, None, principal)
        return None
