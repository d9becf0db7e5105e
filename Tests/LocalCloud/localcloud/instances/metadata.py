"""The instance metadata service, version 2 only: the instance's identity and its role's credentials."""

from __future__ import annotations

import datetime
import json
import secrets
import time
from collections.abc import Callable

from localcloud.authz.principals import Credentials
from localcloud.gateway.call import Answer, Call

_PREFIX = "/latest/meta-data/"


def _text(text: str, status: int = 200) -> Answer:
    return Answer(status, [("Content-Type", "text/plain")], text.encode())


class MetadataService:
    """Answers for one instance. `signal` takes stack, resource, unique id and status, for cfn-signal."""

    def __init__(
        self,
        instance_id: str,
        region: str,
        account: str,
        role_name: str | None,
        credentials: Callable[[], Credentials],
        signal: Callable[[str, str, str, str], None],
    ):
        self._instance_id = instance_id
        self._region = region
        self._account = account
        self._role_name = role_name
        self._credentials = credentials
        self._signal = signal
        self._tokens: set[str] = set()

    def handle(self, call: Call) -> Answer:
        if call.method == "PUT" and call.path == "/localcloud/signal":
            query = call.query
            self._signal(query["stack"], query["resource"], query.get("id") or self._instance_id, query["status"])
            return _text("")
        if call.method == "PUT" and call.path == "/latest/api/token":
            lifetime = call.header("x-aws-ec2-metadata-token-ttl-seconds")
            if not lifetime or not lifetime.isdigit():
                return _text("", 400)
            token = secrets.token_urlsafe(24)
            self._tokens.add(token)
            answer = _text(token)
            answer.headers.append(("x-aws-ec2-metadata-token-ttl-seconds", lifetime))
            return answer
        if call.header("x-aws-ec2-metadata-token") not in self._tokens:
            return _text("", 401)
        return self._read(call.path)

    def _read(self, path: str) -> Answer:
        if path == "/latest/dynamic/instance-identity/document":
            document = {"accountId": self._account, "instanceId": self._instance_id, "region": self._region}
            return _text(json.dumps(document))
        if not path.startswith(_PREFIX):
            return _text("", 404)
        name = path.removeprefix(_PREFIX)
        plain = {
            "instance-id": self._instance_id,
            "placement/region": self._region,
            "placement/availability-zone": self._region + "a",
        }
        if name in plain:
            return _text(plain[name])
        if self._role_name and name == "iam/security-credentials/":
            return _text(self._role_name)
        if self._role_name and name == f"iam/security-credentials/{self._role_name}":
            return _text(json.dumps(self._credentials_document()))
        return _text("", 404)

    def _credentials_document(self) -> dict[str, str]:
        found = self._credentials()
        expires = datetime.datetime.fromtimestamp(found.expires or 0, datetime.UTC)
        return {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "AccessKeyId": found.access_key_id,
            "SecretAccessKey": found.secret_access_key,
            "Token": found.session_token or "",
            "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
