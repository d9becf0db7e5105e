"""Places where the emulator is wrong or in the way, put right. Each is why its version is pinned."""

from __future__ import annotations

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


def apply() -> None:
    FakeBucket.get_permission = _permitted  # type: ignore[method-assign]
    policy_versions.apply()
    suspended_versioning.apply()
    LaunchTemplateVersion.user_data = property(_user_data)  # type: ignore[assignment]
