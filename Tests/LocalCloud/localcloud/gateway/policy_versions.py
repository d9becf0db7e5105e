"""Policies of version 2008-10-17, named or by omission, which the emulator refuses wherever it validates one.

IAM takes them as inline and as trust policies ("If you do not include a Version element, the value defaults to
2008-10-17", IAM User Guide, "JSON policy elements: Version"). Managed policies must be of 2012-10-17.
"""

from __future__ import annotations

import json

from moto.iam.models import IAMBackend
from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator


def _check(document: str) -> None:
    """The emulator's check of everything but the version, which it makes itself when it is not the old one."""
    parsed = json.loads(document) if document.lstrip().startswith("{") else None
    if isinstance(parsed, dict) and parsed.get("Version", "2008-10-17") == "2008-10-17":
        document = json.dumps({**parsed, "Version": "2012-10-17"})
    IAMPolicyDocumentValidator(document).validate()


def _put_role_policy(backend: IAMBackend, role_name: str, policy_name: str, policy_json: str) -> None:
    role = backend.get_role(role_name)
    _check(policy_json)
    role.put_policy(policy_name, policy_json)


def _put_user_policy(backend: IAMBackend, user_name: str, policy_name: str, policy_json: str) -> None:
    user = backend.get_user(user_name)
    _check(policy_json)
    user.put_policy(policy_name, policy_json)


def _put_group_policy(backend: IAMBackend, group_name: str, policy_name: str, policy_json: str) -> None:
    group = backend.get_group(group_name)
    _check(policy_json)
    group.put_policy(policy_name, policy_json)


def apply() -> None:
    IAMBackend.put_role_policy = _put_role_policy  # type: ignore[method-assign]
    IAMBackend.put_user_policy = _put_user_policy  # type: ignore[method-assign]
    IAMBackend.put_group_policy = _put_group_policy  # type: ignore[method-assign]
    IAMTrustPolicyDocumentValidator._validate_version = lambda _: None  # type: ignore[method-assign]
