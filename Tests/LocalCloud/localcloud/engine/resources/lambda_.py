"""AWS::Lambda::Function, EventInvokeConfig and Permission."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.resources.shapes import integers, is_code, only, picked
from localcloud.engine.stack import Physical

_SETTINGS = ("DeadLetterConfig", "Description", "EphemeralStorage", "Handler", "KmsKeyArn", "LoggingConfig")
_SETTINGS += ("Role", "Runtime", "TracingConfig", "Environment")


class Function(ResourceType):
    name = "AWS::Lambda::Function"
    name_property = "FunctionName"
    properties = frozenset(
        {
            *_SETTINGS,
            "Architectures",
            "Code",
            "FunctionName",
            "MemorySize",
            "ReservedConcurrentExecutions",
            "Tags",
            "Timeout",
        }
    )
    required = frozenset({"Code", "Role"})
    replaced_by = frozenset({"FunctionName"})

    @staticmethod
    def _code(properties: dict[str, Any]) -> dict[str, Any]:
        code = properties["Code"]
        only(code, {"S3Bucket", "S3Key", "S3ObjectVersion"}, "AWS::Lambda::Function Code")
        return code

    @staticmethod
    def _settings(properties: dict[str, Any]) -> dict[str, Any]:
        found = {**picked(properties, *_SETTINGS), **integers(properties, "MemorySize", "Timeout")}
        if "Environment" in found:
            variables = found["Environment"].get("Variables", {})
            found["Environment"] = {"Variables": {key: str(value) for key, value in variables.items()}}
        return found

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client, name = context.client("lambda"), properties.get("FunctionName") or context.generated_name(64)
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        made = client.create_function(
            FunctionName=name,
            Code=self._code(properties),
            Tags=tags,
            **self._settings(properties),
            **picked(properties, "Architectures"),
        )
        context.adopt(name, properties)
        self._reserve(client, name, properties)
        return Physical(name, properties, {"Arn": made["FunctionArn"]})

    @staticmethod
    def _reserve(client: Any, name: str, properties: dict[str, Any]) -> None:
        if "ReservedConcurrentExecutions" in properties:
            count = int(properties["ReservedConcurrentExecutions"])
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("lambda")
        client.update_function_code(
            FunctionName=physical.id, **self._code(properties), **picked(properties, "Architectures")
        )
        settings = self._settings(properties)
        settings.setdefault("Environment", {"Variables": {}})
        settings.setdefault("LoggingConfig", {"LogGroup": f"/aws/lambda/{physical.id}"})
        client.update_function_configuration(FunctionName=physical.id, **settings)
        self._reserve(client, physical.id, properties)
        return Physical(physical.id, properties, physical.attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        try:
            context.client("lambda").delete_function(FunctionName=physical.id)
        except ClientError as error:
            if not is_code(error, "ResourceNotFoundException"):
                raise


class EventInvokeConfig(ResourceType):
    name = "AWS::Lambda::EventInvokeConfig"
    properties = frozenset(
        {"DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"}
    )
    required = frozenset({"FunctionName", "Qualifier"})
    replaced_by = frozenset({"FunctionName", "Qualifier"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        if properties["Qualifier"] != "$LATEST":
            only({properties["Qualifier"]: None}, {"$LATEST"}, "AWS::Lambda::EventInvokeConfig Qualifier")
        context.client("lambda").put_function_event_invoke_config(
            FunctionName=properties["FunctionName"],
            **picked(properties, "DestinationConfig"),
            **integers(properties, "MaximumEventAgeInSeconds", "MaximumRetryAttempts"),
        )
        return Physical(f"{properties['FunctionName']}|$LATEST", properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        return self.create(context, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("lambda").delete_function_event_invoke_config(FunctionName=physical.properties["FunctionName"])


class Permission(ResourceType):
    name = "AWS::Lambda::Permission"
    properties = frozenset({"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"})
    required = frozenset({"Action", "FunctionName", "Principal"})
    replaced_by = properties

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        statement = context.generated_name(100)
        context.client("lambda").add_permission(StatementId=statement, **properties)
        return Physical(statement, properties, {"Id": statement})

    def delete(self, context: Context, physical: Physical) -> None:
        try:
            context.client("lambda").remove_permission(
                FunctionName=physical.properties["FunctionName"], StatementId=physical.id
            )
        except ClientError as error:
            if not is_code(error, "ResourceNotFoundException"):
                raise
