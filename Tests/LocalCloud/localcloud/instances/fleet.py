"""The instances of all auto scaling groups."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from moto.iam.models import iam_backends

from localcloud.engine.errors import ResourceFailed
from localcloud.errors import AwsError
from localcloud.instances.instance import Instance
from localcloud.instances.metadata import MetadataService
from localcloud.services.sts import Sts

MODES = ("run", "pretend")


class Fleet:
    """Boots and ends instances. With mode `pretend` none is booted, and each signals success at once."""

    def __init__(self, sts: Sts, mode: str, endpoint_port: Callable[[], int], signal: Callable[..., None]):
        self._sts = sts
        self._mode = mode
        self._endpoint_port = endpoint_port
        self._signal = signal
        self._running: dict[str, Instance] = {}
        self._ended: list[Instance] = []

    def __iter__(self) -> Iterator[Instance]:
        """The running instances, oldest first."""
        return iter([instance for instance in list(self._running.values()) if instance.alive])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, instance_id: str) -> Instance:
        return self._running[instance_id]

    @property
    def all(self) -> list[Instance]:
        """Ended ones too: their consoles are kept."""
        return [*self._ended, *self._running.values()]

    @staticmethod
    def _role_arn(profile: dict[str, Any] | None, account: str) -> str | None:
        if not profile:
            return None
        name = profile.get("Name") or profile["Arn"].rsplit("/", 1)[1]
        for found in iam_backends[account]["aws"].instance_profiles.values():
            if found.name == name and found.roles:
                return found.roles[0].arn
        raise ResourceFailed(f"Invalid IAM Instance Profile {name}")

    def boot(
        self,
        instance_id: str,
        launch_data: dict[str, Any],
        account: str,
        region: str,
        stack_and_resource: tuple[str, str],
    ) -> None:
        """Start an instance from a launch template's data. A role that EC2 may not assume fails it."""
        role_arn = self._role_arn(launch_data.get("IamInstanceProfile"), account)
        if role_arn:
            try:
                self._sts.for_service(role_arn, "ec2.amazonaws.com", instance_id)
            except AwsError as error:
                raise ResourceFailed(error.message) from None
        if self._mode == "pretend":
            self._signal(*stack_and_resource, instance_id, "SUCCESS")
            return
        metadata = MetadataService(
            instance_id,
            region,
            account,
            role_arn.rsplit("/", 1)[1] if role_arn else None,
            lambda: self._sts.for_service(role_arn or "", "ec2.amazonaws.com", instance_id),
            self._signal,
        )
        user_data = base64.b64decode(launch_data.get("UserData") or "") or b"#!/bin/sh\n"
        self._running[instance_id] = Instance(instance_id, user_data, self._endpoint_port(), metadata)

    def terminate(self, instance_id: str) -> None:
        instance = self._running.pop(instance_id, None)
        if instance:
            instance.terminate()
            self._ended.append(instance)

    def close(self) -> None:
        for instance_id in list(self._running):
            self.terminate(instance_id)
