"""The table of CloudFormation's operations. One that is missing is refused as not covered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.engine.change_sets import ChangeSets
from localcloud.engine.descriptions import Descriptions
from localcloud.engine.service import StackOperations
from localcloud.errors import NotCoveredLocally
from localcloud.gateway.call import Call


def operations(stacks: StackOperations) -> dict[str, Callable[[Call], dict[str, Any]]]:
    describe = Descriptions(stacks)
    change_sets = ChangeSets(stacks)
    table: dict[str, Callable[[Call], dict[str, Any]]] = {
        "CancelUpdateStack": stacks.cancel_update_stack,
        "CreateChangeSet": change_sets.create,
        "CreateStack": stacks.create_stack,
        "DeleteChangeSet": change_sets.delete,
        "DeleteStack": stacks.delete_stack,
        "DescribeChangeSet": change_sets.describe,
        "DescribeStackEvents": describe.describe_stack_events,
        "DescribeStackResource": describe.describe_stack_resource,
        "DescribeStackResources": describe.describe_stack_resources,
        "DescribeStacks": describe.describe_stacks,
        "ExecuteChangeSet": change_sets.execute,
        "GetStackPolicy": stacks.get_stack_policy,
        "GetTemplate": describe.get_template,
        "GetTemplateSummary": describe.get_template_summary,
        "ListChangeSets": change_sets.list,
        "ListExports": describe.list_exports,
        "ListImports": describe.list_imports,
        "ListStackResources": describe.list_stack_resources,
        "ListStacks": describe.list_stacks,
        "SetStackPolicy": stacks.set_stack_policy,
        "SignalResource": stacks.signal_resource,
        "UpdateStack": stacks.update_stack,
        "UpdateTerminationProtection": stacks.update_termination_protection,
        "ValidateTemplate": describe.validate_template,
    }

    def unknown(call: Call) -> dict[str, Any]:
        raise NotCoveredLocally(f"cloudformation:{call.operation}")

    return {f"cloudformation:{name}": function for name, function in table.items()} | {"cloudformation:*": unknown}
