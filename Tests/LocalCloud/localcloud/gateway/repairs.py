"""Places where the emulator is wrong or in the way, put right. Each is why its version is pinned."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.types import Base64EncodedString
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from localcloud.gateway import policy_versions, suspended_versioning


def _permitted(_bucket: FakeBucket, _action: str, _resource: str) -> PermissionResult:
    """Policies have been evaluated before the emulator is asked; its own evaluation overlooks their conditions."""
    return PermissionResult.PERMITTED


def _user_data(version: LaunchTemplateVersion) -> Base64EncodedString | None:
    """Only the first version of a launch template holds the type that the emulator expects when it launches."""
    value = version.data.get("UserData")
    return Base64EncodedString(value) if isinstance(value, str) else value


_configuration = LambdaFunction.get_configuration


def _with_logging(function: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
    logging = {"LogFormat": "Text", "LogGroup": function.logs_group_name}
    return {**_configuration(function, on_create), "LoggingConfig": logging}


def apply() -> None:
    FakeBucket.get_permission = _permitted  # type: ignore[method-assign]
    LambdaFunction.get_configuration = _with_logging  # type: ignore[method-assign]
    policy_versions.apply()
    suspended_versioning.apply()
    LaunchTemplateVersion.user_data = property(_user_data)  # type: ignore[assignment]
