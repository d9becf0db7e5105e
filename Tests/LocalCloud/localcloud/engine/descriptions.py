"""CloudFormation's reading operations."""

from __future__ import annotations

import json
from typing import Any

from localcloud.engine import parameters
from localcloud.engine.service import StackOperations
from localcloud.engine.stack import ResourceState, Stack
from localcloud.errors import AwsError
from localcloud.gateway.call import Call


class Descriptions:
    """What DescribeStacks and the like tell, from the stacks' data."""

    def __init__(self, operations: StackOperations):
        self._operations = operations
        self._registry = operations.environment.registry

    def _all(self, call: Call) -> list[Stack]:
        assert call.principal is not None
        return self._registry.of(call.principal.account, call.region)

    @staticmethod
    def _stack(stack: Stack) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "StackId": stack.id,
            "StackName": stack.name,
            "Description": stack.template.get("Description"),
            "Parameters": parameters.shown(stack.template, stack.parameters, stack.parameter_values),
            "CreationTime": stack.created,
            "LastUpdatedTime": stack.updated,
            "DeletionTime": stack.deleted,
            "StackStatus": stack.status,
            "StackStatusReason": stack.reason,
            "DeploymentConfig": stack.deployment,
            "DisableRollback": stack.on_failure == "DO_NOTHING",
            "Outputs": stack.outputs,
            "RoleARN": stack.role_arn,
            "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
            "EnableTerminationProtection": stack.protected,
            "NotificationARNs": stack.notification_arns,
            "Capabilities": stack.capabilities,
        }
        return {key: value for key, value in shown.items() if value is not None}

    def describe_stacks(self, call: Call) -> dict[str, Any]:
        if call.params.get("StackName"):
            return {"Stacks": [self._stack(self._operations.find(call))]}
        return {"Stacks": [self._stack(s) for s in reversed(self._all(call)) if s.status != "DELETE_COMPLETE"]}

    def list_stacks(self, call: Call) -> dict[str, Any]:
        wanted = call.params.get("StackStatusFilter") or []
        shown = [
            {
                "StackId": stack.id,
                "StackName": stack.name,
                "CreationTime": stack.created,
                "StackStatus": stack.status,
                **({"DeletionTime": stack.deleted} if stack.deleted else {}),
            }
            for stack in reversed(self._all(call))
            if not wanted or stack.status in wanted
        ]
        return {"StackSummaries": shown}

    def describe_stack_events(self, call: Call) -> dict[str, Any]:
        stack = self._operations.find(call)
        events = []
        for event in reversed(list(stack.events)):
            shown = {
                "StackId": event.stack_id,
                "EventId": event.event_id,
                "StackName": event.stack_name,
                "LogicalResourceId": event.logical_id,
                "PhysicalResourceId": event.physical_id,
                "ResourceType": event.type,
                "Timestamp": event.at,
                "ResourceStatus": event.status,
            }
            if event.reason:
                shown["ResourceStatusReason"] = event.reason
            events.append(shown)
        return {"StackEvents": events}

    @staticmethod
    def _resource(stack: Stack, state: ResourceState) -> dict[str, Any]:
        kind = state.current.type if state.current else stack.template["Resources"].get(state.name, {}).get("Type", "")
        return {
            "StackName": stack.name,
            "StackId": stack.id,
            "LogicalResourceId": state.name,
            "PhysicalResourceId": state.current.id if state.current else "",
            "ResourceType": kind,
            "Timestamp": state.changed_at or stack.created,
            "LastUpdatedTimestamp": state.changed_at or stack.created,
            "ResourceStatus": state.status,
            "ResourceStatusReason": state.reason,
        }

    def _resources(self, call: Call) -> list[dict[str, Any]]:
        stack = self._operations.find(call)
        return [self._resource(stack, state) for state in list(stack.resources.values()) if state.status]

    def describe_stack_resources(self, call: Call) -> dict[str, Any]:
        wanted = call.params.get("LogicalResourceId")
        found = [r for r in self._resources(call) if wanted in (None, r["LogicalResourceId"])]
        return {"StackResources": found}

    def list_stack_resources(self, call: Call) -> dict[str, Any]:
        return {"StackResourceSummaries": self._resources(call)}

    def describe_stack_resource(self, call: Call) -> dict[str, Any]:
        for resource in self._resources(call):
            if resource["LogicalResourceId"] == call.params["LogicalResourceId"]:
                return {"StackResourceDetail": resource}
        raise AwsError(
            "ValidationError",
            f"Resource {call.params['LogicalResourceId']} does not exist for stack {call.params['StackName']}",
            400,
        )

    def get_template(self, call: Call) -> dict[str, Any]:
        return {"TemplateBody": self._operations.find(call).body, "StagesAvailable": ["Original"]}

    def _summary(self, parsed: dict[str, Any]) -> dict[str, Any]:
        declared = (parsed.get("Parameters") or {}).items()
        shown = []
        for name, parameter in declared:
            entry = {
                "ParameterKey": name,
                "ParameterType": parameter.get("Type", "String"),
                "NoEcho": str(parameter.get("NoEcho", "")).lower() == "true",
                "Description": parameter.get("Description", ""),
            }
            if "Default" in parameter:
                entry["DefaultValue"] = str(parameter["Default"])
            shown.append(entry)
        iam = any(resource["Type"].startswith("AWS::IAM::") for resource in parsed["Resources"].values())
        return {
            "Parameters": shown,
            "Description": parsed.get("Description", ""),
            "Capabilities": ["CAPABILITY_NAMED_IAM"] if iam else [],
            "ResourceTypes": sorted({resource["Type"] for resource in parsed["Resources"].values()}),
            "Metadata": json.dumps(parsed["Metadata"]) if "Metadata" in parsed else None,
        }

    def get_template_summary(self, call: Call) -> dict[str, Any]:
        if call.params.get("StackName"):
            return self._summary(self._operations.find(call).template)
        return self._summary(self._operations.body(call)[1])

    def validate_template(self, call: Call) -> dict[str, Any]:
        from localcloud.engine.ordering import dependencies

        parsed = self._operations.body(call)[1]
        dependencies(parsed)
        summary = self._summary(parsed)
        return {key: summary[key] for key in ("Parameters", "Description", "Capabilities")}

    def list_exports(self, call: Call) -> dict[str, Any]:
        assert call.principal is not None
        exports = self._registry.exports(call.principal.account, call.region)
        return {
            "Exports": [
                {"ExportingStackId": stack.id, "Name": name, "Value": value} for name, (value, stack) in exports.items()
            ]
        }

    def list_imports(self, call: Call) -> dict[str, Any]:
        assert call.principal is not None
        return {
            "Imports": sorted(self._registry.importers(call.principal.account, call.region, call.params["ExportName"]))
        }
