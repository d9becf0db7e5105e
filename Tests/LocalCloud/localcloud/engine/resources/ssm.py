"""AWS::SSM::Parameter."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.resources.shapes import is_code, picked
from localcloud.engine.stack import Physical


class Parameter(ResourceType):
    name = "AWS::SSM::Parameter"
    name_property = "Name"
    properties = frozenset({"AllowedPattern", "Description", "Name", "Tags", "Tier", "Type", "Value"})
    required = frozenset({"Type", "Value"})
    replaced_by = frozenset({"Name"})

    @staticmethod
    def _put(context: Context, name: str, properties: dict[str, Any], overwrite: bool) -> Physical:
        context.client("ssm").put_parameter(
            Name=name,
            Overwrite=overwrite,
            **picked(properties, "AllowedPattern", "Description", "Tier", "Type", "Value"),
        )
        return Physical(name, properties, {"Type": properties["Type"], "Value": properties["Value"]})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        return self._put(context, properties.get("Name") or "CFN-" + context.generated_name(500), properties, False)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        return self._put(context, physical.id, properties, True)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("ssm").get_parameters(Names=[physical.id])

    def delete(self, context: Context, physical: Physical) -> None:
        try:
            context.client("ssm").delete_parameter(Name=physical.id)
        except ClientError as error:
            if not is_code(error, "ParameterNotFound"):
                raise
