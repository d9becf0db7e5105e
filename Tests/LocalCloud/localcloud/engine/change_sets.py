"""Change sets: updates that are looked at before they are carried out."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from localcloud.engine import causes, importing, ordering, parameters
from localcloud.engine.errors import ResourceFailed, ValidationError
from localcloud.engine.importing import Identified
from localcloud.engine.service import UPDATABLE, StackOperations
from localcloud.engine.stack import IN_REVIEW, Stack, now
from localcloud.errors import AwsError, NotCoveredLocally
from localcloud.gateway.call import Call

_NOTHING = "The submitted information didn't contain changes. Submit different information to create a change set."
_PAGE = 20
_stacks_of: dict[str, str] = {}


def stack_of(change_set: str) -> str | None:
    """The ARN of the stack to which the change set with this ARN belongs, for policies."""
    return _stacks_of.get(change_set)


@dataclass
class ChangeSet:
    """`body`, `template`, `raw` and `tags` are what the stack would get, `after` how many operations it had seen."""

    id: str
    name: str
    stack: Stack
    body: str
    template: dict[str, Any]
    raw: dict[str, str]
    tags: dict[str, str]
    description: str | None
    request: dict[str, Any]
    after: int
    imports: dict[str, Identified] | None
    status: str = "CREATE_PENDING"
    execution: str = "UNAVAILABLE"
    reason: str | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    created: Any = field(default_factory=now)


class ChangeSets:
    """CreateChangeSet of each type, DescribeChangeSet, ExecuteChangeSet, DeleteChangeSet, ListChangeSets."""

    def __init__(self, stacks: StackOperations):
        self._stacks = stacks
        self._all: dict[str, ChangeSet] = {}
        self._lock = threading.Lock()

    def _of(self, stack: Stack) -> list[ChangeSet]:
        return [one for one in list(self._all.values()) if one.stack is stack]

    def _find(self, call: Call) -> ChangeSet:
        name = call.params["ChangeSetName"]
        if name.startswith("arn:"):
            found = self._all.get(name)
        else:
            if "StackName" not in call.params:
                raise ValidationError("StackName must be specified if ChangeSetName is not specified as an ARN.")
            stack = self._stacks.find(call)
            found = next((one for one in self._of(stack) if one.name == name), None)
        if found is None:
            raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
        return found

    def create(self, call: Call) -> dict[str, Any]:
        params = call.params
        kind = params.get("ChangeSetType", "UPDATE")
        if params.get("ImportExistingResources"):
            raise NotCoveredLocally("change sets with ImportExistingResources")
        name = params["ChangeSetName"]
        exists = kind == "UPDATE" or (kind == "IMPORT" and self._stacks.is_there(call))
        stack = self._stacks.find(call) if exists else self._stacks.review(call)
        if exists and stack.status not in UPDATABLE:
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        previous = params.get("UsePreviousTemplate")
        body, parsed = (stack.body, stack.template) if previous else self._stacks.body(call)
        ordering.dependencies(parsed)
        self._stacks.check_capabilities(call, parsed)
        raw = parameters.complete(parsed, parameters.given(params.get("Parameters"), stack.parameters))
        self._stacks.check_lookups(call, parsed, raw)
        tags = {t["Key"]: t["Value"] for t in params["Tags"]} if params.get("Tags") else stack.tags
        imports = self._imports(call, stack, parsed, raw) if kind == "IMPORT" else None
        with self._lock:
            if any(one.name == name for one in self._of(stack)):
                raise AwsError("AlreadyExistsException", f"ChangeSet {name} already exists", 400)
            account, identifier = stack.account, uuid.uuid4()
            made = ChangeSet(
                f"arn:aws:cloudformation:{stack.region}:{account}:changeSet/{name}/{identifier}",
                name,
                stack,
                body,
                parsed,
                raw,
                tags,
                params.get("Description"),
                params,
                stack.operations,
                imports,
            )
            self._all[made.id] = made
            _stacks_of[made.id] = stack.id
        threading.Thread(target=self._compare, args=[made], daemon=True, name=f"change set {name}").start()
        return {"Id": made.id, "StackId": stack.id}

    def _imports(self, call: Call, stack: Stack, parsed: dict[str, Any], raw: dict[str, str]) -> dict[str, Identified]:
        """What a change set of type IMPORT is to take over. One that is refused leaves no stack in review behind."""
        environment = self._stacks.environment
        try:
            wanted = importing.requested(environment, parsed, call.params.get("ResourcesToImport") or [])
            importing.changes_of(environment, stack, parsed, raw, wanted)
        except ValidationError:
            if stack.status == IN_REVIEW and not self._of(stack):
                environment.registry.stacks.remove(stack)
            raise
        return wanted

    def _compare(self, made: ChangeSet) -> None:
        made.status = "CREATE_IN_PROGRESS"
        given = (self._stacks.environment, made.stack, made.template, made.raw)
        try:
            made.changes = (
                causes.compare(*given) if made.imports is None else importing.changes_of(*given, made.imports)
            )
        except (ValidationError, ResourceFailed) as failure:
            made.status, made.reason = "FAILED", str(failure)
            return
        if made.changes or made.tags != made.stack.tags:
            made.execution, made.status = "AVAILABLE", "CREATE_COMPLETE"
        else:
            made.status, made.reason = "FAILED", _NOTHING

    def describe(self, call: Call) -> dict[str, Any]:
        found = self._find(call)
        self._follow(found)
        start = int(call.params.get("NextToken") or 0)
        shown = {
            "ChangeSetName": found.name,
            "ChangeSetId": found.id,
            "StackId": found.stack.id,
            "StackName": found.stack.name,
            "Description": found.description,
            "Parameters": parameters.shown(found.template, found.raw, {}),
            "CreationTime": found.created,
            "ExecutionStatus": found.execution,
            "Status": found.status,
            "StatusReason": found.reason,
            "NotificationARNs": list(found.request.get("NotificationARNs") or []),
            "Capabilities": list(found.request.get("Capabilities") or []),
            "Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()],
            "Changes": found.changes[start : start + _PAGE],
            "DeploymentConfig": found.request.get("DeploymentConfig"),
            "IncludeNestedStacks": bool(found.request.get("IncludeNestedStacks")),
        }
        if start + _PAGE < len(found.changes):
            shown["NextToken"] = str(start + _PAGE)
        return {key: value for key, value in shown.items() if value is not None}

    @staticmethod
    def _follow(found: ChangeSet) -> None:
        """How the update goes that the change set began; or that another one came first: the status is then OBSOLETE,
        as the API reference of DescribeChangeSet says of ExecutionStatus."""
        if found.execution == "AVAILABLE" and found.stack.operations != found.after:
            found.execution = "OBSOLETE"
        if found.execution == "EXECUTE_IN_PROGRESS" and not found.stack.in_progress:
            done = found.stack.status in ("CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE")
            found.execution = "EXECUTE_COMPLETE" if done else "EXECUTE_FAILED"

    def execute(self, call: Call) -> dict[str, Any]:
        found = self._find(call)
        with self._lock:
            self._follow(found)
            if found.execution != "AVAILABLE":
                raise AwsError(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{found.id}] cannot be executed in its current execution status of [{found.execution}]",
                    400,
                )
            if found.stack.status not in (*UPDATABLE, IN_REVIEW):
                raise AwsError(
                    "InvalidChangeSetStatus",
                    f"Stack {found.stack.id} is in {found.stack.status} state and can not be updated.",
                    400,
                )
            found.execution = "EXECUTE_IN_PROGRESS"
            # What others were made for is not what the stack will be.
            for other in self._of(found.stack):
                if other is not found:
                    del self._all[other.id]
        update = Call(call.method, call.target, call.headers, call.body, call.service, call.operation, found.request)
        update.region, update.principal = call.region, call.principal
        wanted = (update, found.stack, found.body, found.template, found.raw, found.tags)
        if found.imports is not None:
            self._stacks.begin_import(*wanted, found.imports)
        elif found.stack.status == IN_REVIEW:
            self._stacks.begin_creation(*wanted)
        else:
            self._stacks.begin_update(*wanted)
        return {}

    def delete(self, call: Call) -> dict[str, Any]:
        try:
            found = self._find(call)
        except AwsError:
            return {}
        if found.execution == "EXECUTE_IN_PROGRESS" and found.stack.in_progress:
            raise AwsError("InvalidChangeSetStatus", f"ChangeSet [{found.id}] is being executed", 400)
        del self._all[found.id]
        return {}

    def list(self, call: Call) -> dict[str, Any]:
        stack = self._stacks.find(call)
        shown = []
        for one in self._of(stack):
            self._follow(one)
            shown.append(
                {
                    "StackId": stack.id,
                    "StackName": stack.name,
                    "ChangeSetId": one.id,
                    "ChangeSetName": one.name,
                    "ExecutionStatus": one.execution,
                    "Status": one.status,
                    "CreationTime": one.created,
                }
            )
        return {"Summaries": shown}
