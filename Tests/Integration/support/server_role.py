"""The policy of the servers' role of automated.yml, and its variants in the running cloud."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from localcloud import LocalCloud

POLICY = "own-certificate"


class ServerRole:
    def __init__(self, cloud: LocalCloud, arn: str):
        self.cloud, self.arn = cloud, arn
        self._name = arn.rsplit("/", 1)[1]

    @property
    def document(self) -> dict[str, Any]:
        client = self.cloud.client("iam")
        return client.get_role_policy(RoleName=self._name, PolicyName=POLICY)["PolicyDocument"]

    @contextlib.contextmanager
    def _changed(self, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """The policy as changed is in force inside, the policy itself again afterwards."""
        client, original = self.cloud.client("iam"), self.document
        variant = json.loads(json.dumps(original))
        change(variant)
        put = {"RoleName": self._name, "PolicyName": POLICY}
        client.put_role_policy(**put, PolicyDocument=json.dumps(variant))
        try:
            yield
        finally:
            client.put_role_policy(**put, PolicyDocument=json.dumps(original))

    def without(self, sid: str) -> contextlib.AbstractContextManager[None]:
        def change(document: dict[str, Any]) -> None:
            left = [s for s in document["Statement"] if s["Sid"] != sid]
            assert len(left) == len(document["Statement"]) - 1
            document["Statement"] = left

        return self._changed(change)

    def powerless(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is allowed."""
        return self._changed(
            lambda document: document.update(Statement=[{**document["Statement"][0], "Effect": "Deny"}])
        )

    def wider(self, sid: str, element: str) -> contextlib.AbstractContextManager[None]:
        """A statement for every resource, or without its condition."""

        def change(document: dict[str, Any]) -> None:
            [statement] = [s for s in document["Statement"] if s["Sid"] == sid]
            if element == "Resource":
                statement["Resource"] = "*"
            else:
                del statement["Condition"]

        return self._changed(change)
