"""CloudFormation's API: requests checked, operations started, stacks described."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from localcloud.authz.principals import Credentials
from localcloud.engine import ordering, parameters, template
from localcloud.engine.creation import Creation
from localcloud.engine.deletion import Deletion
from localcloud.engine.environment import Environment
from localcloud.engine.errors import ValidationError
from localcloud.engine.importing import Identified, Import
from localcloud.engine.stack import IN_REVIEW, Stack
from localcloud.engine.stack_policy import StackPolicy
from localcloud.engine.updating import Update
from localcloud.errors import AwsError
from localcloud.gateway.call import Call

UPDATABLE = (
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
)
_CAPABILITIES = {
    "AWS::IAM::InstanceProfile": "RoleName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
}


class StackOperations:
    """CreateStack, UpdateStack, DeleteStack, CancelUpdateStack, SignalResource.

    `session` opens a session of a stack's role; `caller` finds the credentials of the one who calls: without a role a
    stack acts with those, as on AWS.
    """

    def __init__(
        self,
        environment: Environment,
        session: Callable[[str, str], Credentials],
        caller: Callable[[Call], Credentials],
    ):
        self.environment = environment
        self._session = session
        self._caller = caller

    def _operator(self, call: Call, role_arn: str | None) -> Credentials:
        return self._session(role_arn, call.region) if role_arn else self._caller(call)

    def _account(self, call: Call) -> str:
        assert call.principal is not None
        return call.principal.account

    def find(self, call: Call) -> Stack:
        return self.environment.registry.get(self._account(call), call.region, call.params["StackName"])

    def is_there(self, call: Call) -> bool:
        """Whether there is such a stack, other than one in review."""
        stack = self.environment.registry.find(self._account(call), call.region, call.params["StackName"])
        return stack is not None and stack.status != IN_REVIEW

    def body(self, call: Call) -> tuple[str, dict[str, Any]]:
        """The request's template, as text and parsed; from S3 with the caller's own permission to read it there."""
        inline, url = call.params.get("TemplateBody"), call.params.get("TemplateURL")
        if bool(inline) == bool(url):
            raise ValidationError("Either Template URL or Template Body must be specified.")
        if inline:
            return inline, template.load(inline)
        bucket, _, key = url.split("/", 3)[3].partition("/")
        client = self.environment.clients.of(self._caller(call), "s3", call.region)
        try:
            text = client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        except client.exceptions.ClientError as error:
            raise ValidationError(f"S3 error: {error}") from None
        return text, template.load(text, by_url=True)

    def check_lookups(self, call: Call, parsed: dict[str, Any], raw: dict[str, str]) -> None:
        """SSM parameters are looked up for a change set with its caller's permissions, whatever the stack's role may do
        (aws-cdk's bootstrap template gives ssm:GetParameters to the role that makes change sets, and says so)."""
        names = parameters.in_store(parsed, raw)
        client = self.environment.clients.of(self._caller(call), "ssm", call.region)
        for name in names:
            try:
                client.get_parameters(Names=[name])
            except client.exceptions.ClientError:
                raise ValidationError(
                    "AccessDenied. User doesn't have permission to call ssm:GetParameters"
                ) from None

    @staticmethod
    def check_capabilities(call: Call, parsed: dict[str, Any]) -> None:
        given = set(call.params.get("Capabilities") or [])
        # Of change sets it is not asked (API reference of CreateChangeSet).
        expands = "CAPABILITY_AUTO_EXPAND" in given or call.operation == "CreateChangeSet"
        if template.transforms(parsed) and not expands:
            raise AwsError("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]", 400)
        for resource in parsed["Resources"].values():
            if resource["Type"] not in _CAPABILITIES or "CAPABILITY_NAMED_IAM" in given:
                continue
            name_property = _CAPABILITIES[resource["Type"]]
            named = name_property and name_property in (resource.get("Properties") or {})
            needed = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
            if needed not in given:
                raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]", 400)

    def create_stack(self, call: Call) -> dict[str, Any]:
        params, account = call.params, self._account(call)
        registry = self.environment.registry
        if registry.find(account, call.region, params["StackName"]):
            raise AwsError("AlreadyExistsException", f"Stack [{params['StackName']}] already exists", 400)
        body, parsed = self.body(call)
        ordering.dependencies(parsed)
        self.check_capabilities(call, parsed)
        raw = parameters.complete(parsed, parameters.given(params.get("Parameters"), {}))
        stack = Stack(
            name=params["StackName"],
            account=account,
            region=call.region,
            id=registry.new_id(params["StackName"], call.region, account),
            body=body,
            template=parsed,
            parameters=raw,
            operator=self._operator(call, params.get("RoleARN")),
            role_arn=params.get("RoleARN"),
            tags={tag["Key"]: tag["Value"] for tag in params.get("Tags") or []},
            capabilities=list(params.get("Capabilities") or []),
            notification_arns=list(params.get("NotificationARNs") or []),
            on_failure="DO_NOTHING" if params.get("DisableRollback") else params.get("OnFailure") or "ROLLBACK",
            deployment=params.get("DeploymentConfig"),
            timeout_minutes=params.get("TimeoutInMinutes"),
            protected=bool(params.get("EnableTerminationProtection")),
        )
        self.environment.resolver(stack, parsed, raw)
        stack.parameter_values = self.environment.parameter_values(stack, parsed, raw)
        registry.stacks.append(stack)
        stack.set_status("CREATE_IN_PROGRESS", "User Initiated")
        self._start(stack, Creation(self.environment, stack).run)
        return {"StackId": stack.id}

    def review(self, call: Call) -> Stack:
        """The stack that a change set of type CREATE or IMPORT is for: one without resources, made by the first one."""
        params, account, registry = call.params, self._account(call), self.environment.registry
        stack = registry.find(account, call.region, params["StackName"])
        if stack is None:
            stack = Stack(
                name=params["StackName"],
                account=account,
                region=call.region,
                id=registry.new_id(params["StackName"], call.region, account),
                body="",
                template={"Resources": {}},
                parameters={},
                operator=self._operator(call, params.get("RoleARN")),
            )
            registry.stacks.append(stack)
            stack.set_status(IN_REVIEW, "User Initiated")
        elif stack.status != IN_REVIEW:
            raise ValidationError(
                f"Stack [{stack.name}] already exists and cannot be created again with the changeSet "
                f"[{params['ChangeSetName']}]."
            )
        return stack

    def begin_creation(
        self, call: Call, stack: Stack, body: str, parsed: dict[str, Any], raw: dict[str, str], tags: dict[str, str]
    ) -> None:
        """Makes of a stack in review what was checked before."""
        params = call.params
        stack.role_arn = params.get("RoleARN")
        stack.operator = self._operator(call, stack.role_arn)
        self.environment.resolver(stack, parsed, raw)
        stack.parameter_values = self.environment.parameter_values(stack, parsed, raw)
        stack.body, stack.template, stack.parameters, stack.tags = body, parsed, raw, tags
        stack.capabilities = list(params.get("Capabilities") or [])
        stack.notification_arns = list(params.get("NotificationARNs") or [])
        stack.on_failure = params.get("OnStackFailure") or "ROLLBACK"
        stack.deployment = params.get("DeploymentConfig")
        stack.operations += 1
        stack.set_status("CREATE_IN_PROGRESS", "User Initiated")
        self._start(stack, Creation(self.environment, stack).run)

    def update_stack(self, call: Call) -> dict[str, Any]:
        stack, params = self.find(call), call.params
        if stack.status not in UPDATABLE:
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        body, parsed = (stack.body, stack.template) if params.get("UsePreviousTemplate") else self.body(call)
        ordering.dependencies(parsed)
        self.check_capabilities(call, parsed)
        raw = parameters.complete(parsed, parameters.given(params.get("Parameters"), stack.parameters))
        values = self.environment.parameter_values(stack, parsed, raw)
        tags = {t["Key"]: t["Value"] for t in params["Tags"]} if params.get("Tags") else stack.tags
        same = parsed == stack.template and raw == stack.parameters and values == stack.parameter_values
        if same and tags == stack.tags:
            raise ValidationError("No updates are to be performed.")
        if "StackPolicyBody" in params:
            stack.policy = StackPolicy(params["StackPolicyBody"])
        self.begin_update(call, stack, body, parsed, raw, tags)
        return {"StackId": stack.id}

    def begin_update(
        self, call: Call, stack: Stack, body: str, parsed: dict[str, Any], raw: dict[str, str], tags: dict[str, str]
    ) -> None:
        """Starts an update to what was checked before, with the call's role, the stack's or the caller's own rights."""
        previous = self._take(call, stack, body, parsed, raw, tags)
        stack.set_status("UPDATE_IN_PROGRESS", "User Initiated")
        self._start(stack, lambda: Update(self.environment, stack).run(previous))

    def begin_import(
        self,
        call: Call,
        stack: Stack,
        body: str,
        parsed: dict[str, Any],
        raw: dict[str, str],
        tags: dict[str, str],
        wanted: dict[str, Identified],
    ) -> None:
        """Has a stack, which may be one in review, take over what was checked before."""
        previous = self._take(call, stack, body, parsed, raw, tags)
        stack.set_status("IMPORT_IN_PROGRESS", "User Initiated")
        self._start(stack, lambda: Import(self.environment, stack).run(wanted, previous))

    def _take(
        self, call: Call, stack: Stack, body: str, parsed: dict[str, Any], raw: dict[str, str], tags: dict[str, str]
    ) -> dict[str, Any]:
        """The stack becomes what an operation wants it to be. Returns what it was, for a rollback."""
        params = call.params
        previous = {
            "body": stack.body,
            "template": stack.template,
            "parameters": stack.parameters,
            "parameter_values": stack.parameter_values,
            "tags": stack.tags,
            "role_arn": stack.role_arn,
            "status": stack.status,
        }
        role = params.get("RoleARN") or stack.role_arn
        stack.operator = self._operator(call, role)
        self.environment.resolver(stack, parsed, raw)
        stack.parameter_values = self.environment.parameter_values(stack, parsed, raw)
        stack.body, stack.template, stack.parameters, stack.tags, stack.role_arn = body, parsed, raw, tags, role
        stack.capabilities = list(params.get("Capabilities") or stack.capabilities)
        stack.notification_arns = list(params.get("NotificationARNs") or stack.notification_arns)
        stack.deployment = params.get("DeploymentConfig")
        stack.cancel = threading.Event()
        stack.operations += 1
        return previous

    def set_stack_policy(self, call: Call) -> dict[str, Any]:
        self.find(call).policy = StackPolicy(call.params["StackPolicyBody"])
        return {}

    def get_stack_policy(self, call: Call) -> dict[str, Any]:
        policy = self.find(call).policy
        return {"StackPolicyBody": policy.body} if policy else {}

    def delete_stack(self, call: Call) -> dict[str, Any]:
        params, registry = call.params, self.environment.registry
        stack = registry.find(self._account(call), call.region, params["StackName"])
        if stack is None or stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return {}
        if stack.protected:
            raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.status.startswith(("UPDATE", "IMPORT")) and stack.in_progress:
            raise ValidationError(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        registry.refuse_deletion_in_use(stack)
        role = params.get("RoleARN") or stack.role_arn
        stack.operator, stack.role_arn = self._operator(call, role), role
        running, stack.deployment = stack.worker, params.get("DeploymentConfig")
        stack.delete_requested = stack.status == "CREATE_IN_PROGRESS"
        stack.cancel.set()
        stack.set_status("DELETE_IN_PROGRESS", "User Initiated")

        def after_what_runs() -> None:
            if running:
                running.join()
            if stack.status != "DELETE_IN_PROGRESS":
                stack.set_status("DELETE_IN_PROGRESS", "User Initiated")
            stack.cancel = threading.Event()
            Deletion(self.environment, stack).run(set(params.get("RetainResources") or []))

        self._start(stack, after_what_runs)
        return {}

    def cancel_update_stack(self, call: Call) -> dict[str, Any]:
        stack = self.find(call)
        if stack.status != "UPDATE_IN_PROGRESS":
            raise ValidationError("CancelUpdateStack cannot be called from current stack status")
        stack.cancel.set()
        return {}

    def signal_resource(self, call: Call) -> dict[str, Any]:
        stack, params = self.find(call), call.params
        if params["LogicalResourceId"] not in stack.template["Resources"]:
            raise ValidationError(f"Resource {params['LogicalResourceId']} does not exist for stack {stack.name}")
        if not stack.in_progress:
            raise ValidationError(f"Stack {stack.id} is in {stack.status} state and can not be signaled")
        self.environment.signals.add(stack.id, params["LogicalResourceId"], params["UniqueId"], params["Status"])
        return {}

    def update_termination_protection(self, call: Call) -> dict[str, Any]:
        stack = self.find(call)
        stack.protected = bool(call.params["EnableTerminationProtection"])
        return {"StackId": stack.id}

    def _start(self, stack: Stack, operation: Callable[[], None]) -> None:
        before = stack.worker

        def run() -> None:
            # In express mode the clean-up of an update goes on when the stack is complete.
            if before and before is not threading.current_thread():
                before.join()
            try:
                operation()
            except Exception as failure:  # a defect of this engine must end the stack's operation, not hang it
                stack.set_status("UPDATE_ROLLBACK_FAILED", f"LocalCloud: {type(failure).__name__}: {failure}")
                raise

        stack.worker = threading.Thread(target=run, daemon=True, name=f"stack {stack.name}")
        stack.worker.start()
