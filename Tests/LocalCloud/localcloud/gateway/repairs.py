"""Places where the emulator is wrong or in the way, put right. Each is why its version is pinned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.types import Base64EncodedString
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.iam.access_control import PermissionResult
from moto.kms.models import KmsBackend
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


def _by_arn(method: Callable[..., Any]) -> Callable[..., Any]:
    """These operations of KMS take a key's ARN as well as its id."""

    def with_id(backend: KmsBackend, key_id: str, *more: Any) -> Any:
        return method(backend, backend.get_key_id(key_id), *more)

    return with_id


def apply() -> None:
    for name in ("disable_key", "enable_key", "cancel_key_deletion", "schedule_key_deletion"):
        setattr(KmsBackend, name, _by_arn(getattr(KmsBackend, name)))
    FakeBucket.get_permission = _permitted  # type: ignore[method-assign]
    LambdaFunction.get_configuration = _with_logging  # type: ignore[method-assign]
    policy_versions.apply()
    suspended_versioning.apply()
    LaunchTemplateVersion.user_data = property(_user_data)  # type: ignore[assignment]
