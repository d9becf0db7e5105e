"""The accounts that exist at the start: the cloud's own, and a foreign one, each with an administrator."""

from __future__ import annotations

import json
import secrets
import string

from moto.iam.models import iam_backends

from localcloud.authz.principals import Credentials, Principals

ACCOUNT = "123456789012"
FOREIGN_ACCOUNT = "999999999999"

_EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def trust(*, services: list[str] | None = None, accounts: list[str] | None = None) -> str:
    """A trust policy for services and whole accounts."""
    principal: dict[str, list[str]] = {}
    if services:
        principal["Service"] = services
    if accounts:
        principal["AWS"] = [f"arn:aws:iam::{account}:root" for account in accounts]
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create_administrator(account: str, principals: Principals) -> Credentials:
    """A user `admin` who may do everything, with a fresh access key."""
    backend = iam_backends[account]["aws"]
    backend.create_user(account, "admin")
    backend.put_user_policy("admin", "everything", _EVERYTHING)
    key = backend.create_access_key("admin")
    # The emulator draws its keys from a generator that a test may have seeded; these must not be guessable.
    alphabet = string.ascii_letters + string.digits
    key.secret_access_key = "".join(secrets.choice(alphabet) for _ in range(40))
    found = principals.find(key.access_key_id)
    assert found is not None
    return found
