"""The table of CloudFormation's operations. One that is missing is refused as not covered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.engine.descriptions import Descriptions
from localcloud.engine.service import StackOperations
from localcloud.errors import NotCoveredLocally
from localcloud.gateway.call import Call


def operations(stacks: StackOperations) -> dict[str, Callable[[Call], dict[str, Any]]]:
    describe = Descriptions(stacks)
    table: dict[str, Callable[[Call], dict[str, Any]]] = {
        "CancelUpdateStack": stacks.cancel_update_stack,
        "CreateStack": stacks.create_stack,
        "DeleteStack": stacks.delete_stack,
        "DescribeStackEvents": describe.describe_stack_events,
        "DescribeStackResource": describe.describe_stack_resource,
        "DescribeStackResources": describe.describe_stack_resources,
        "DescribeStacks": describe.describe_stacks,
        "GetTemplate": describe.get_template,
        "GetTemplateSummary": describe.get_template_summary,
        "ListExports": describe.list_exports,
        "ListImports": describe.list_imports,
        "ListStackResources": describe.list_stack_resources,
        "ListStacks": describe.list_stacks,
        "SignalResource": stacks.signal_resource,
        "UpdateStack": stacks.update_stack,
        "UpdateTerminationProtection": stacks.update_termination_protection,
        "ValidateTemplate": describe.validate_template,
    }

    def unknown(call: Call) -> dict[str, Any]:
        raise NotCoveredLocally(f"cloudformation:{call.operation}")

    return {f"cloudformation:{name}": function for name, function in table.items()} | {"cloudformation:*": unknown}
