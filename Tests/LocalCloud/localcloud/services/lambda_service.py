"""Lambda's operations that run code or judge a role; the rest of Lambda is the emulator's."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from moto.awslambda.models import LambdaFunction, lambda_backends

from localcloud.errors import AwsError
from localcloud.gateway.call import Answer, Call
from localcloud.gateway.emulator import Emulator
from localcloud.lambda_host.asynchronous import AsynchronousInvoker
from localcloud.lambda_host.host import LambdaHost
from localcloud.services.sts import Sts

_LARGEST_SYNCHRONOUS = 6 * 1024 * 1024
_LARGEST_ASYNCHRONOUS = 1024 * 1024


class LambdaService:
    """Invoke, and the check at creation that Lambda may assume the function's role."""

    def __init__(self, emulator: Emulator, host: LambdaHost, asynchronous: AsynchronousInvoker, sts: Sts):
        self._emulator = emulator
        self._host = host
        self._asynchronous = asynchronous
        self._sts = sts

    def operations(self) -> dict[str, Callable[[Call], Answer]]:
        return {
            "lambda:Invoke": self.invoke,
            "lambda:CreateFunction": self.with_assumable_role,
            "lambda:UpdateFunctionConfiguration": self.with_assumable_role,
            "lambda:DeleteFunction": self.delete_function,
            "lambda:PutFunctionEventInvokeConfig": self.put_event_invoke_config,
        }

    def receive_events(self) -> None:
        """Events that the emulator's SNS, S3 or EventBridge send to a function are accepted as asynchronous ones."""
        asynchronous, host = self._asynchronous, self._host

        def accept(emulated: LambdaFunction, event: object = None) -> tuple[str, bool, str]:
            function = host.find(emulated.function_name, emulated.account_id, emulated.region)
            asynchronous.submit(function, json.dumps(event if event is not None else {}).encode())
            return "", False, ""

        LambdaFunction._invoke_lambda = accept  # type: ignore[method-assign]

    def invoke(self, call: Call) -> Answer:
        assert call.principal is not None
        name, qualifier = call.params["FunctionName"], call.params.get("Qualifier")
        function = self._host.find(name, call.principal.account, call.region, qualifier)
        kind = call.header("x-amz-invocation-type") or "RequestResponse"
        limit = _LARGEST_ASYNCHRONOUS if kind == "Event" else _LARGEST_SYNCHRONOUS
        if len(call.body) > limit:
            raise AwsError("RequestTooLargeException", f"{len(call.body)} byte payload is too large", 413)
        body = call.body or b"{}"
        try:
            json.loads(body)
        except ValueError:
            raise AwsError("InvalidRequestContentException", "Could not parse request body into json", 400) from None
        if kind == "DryRun":
            return Answer(204)
        if kind == "Event":
            return Answer(202, [("x-amzn-RequestId", self._asynchronous.submit(function, body))])
        outcome = self._host.invoke(function, body)
        headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", function.version)]
        if outcome.error:
            headers.append(("X-Amz-Function-Error", "Unhandled"))
        if call.header("x-amz-log-type") == "Tail":
            headers.append(("X-Amz-Log-Result", base64.b64encode(outcome.log.encode()[-4096:]).decode()))
        return Answer(200, headers, outcome.result)

    def with_assumable_role(self, call: Call) -> Answer:
        assert call.principal is not None
        role = call.params.get("Role")
        if role:
            try:
                self._sts.for_service(
                    role, "lambda.amazonaws.com", "check", {"aws:sourceaccount": call.principal.account}
                )
            except AwsError:
                raise AwsError(
                    "InvalidParameterValueException",
                    "The role defined for the function cannot be assumed by Lambda.",
                    400,
                ) from None
        answer = self._emulator.answer(call, call.principal.account)
        group = (call.params.get("LoggingConfig") or {}).get("LogGroup")
        if group and answer.status < 300:
            # The emulator knows of the group that a function has by default only.
            name = call.params["FunctionName"].split(":")[-1]
            lambda_backends[call.principal.account][call.region].get_function(name).logs_group_name = group
        return answer

    def delete_function(self, call: Call) -> Answer:
        assert call.principal is not None
        answer = self._emulator.answer(call, call.principal.account)
        if answer.status < 300:
            name = call.params["FunctionName"].split(":")[-1]
            self._host.retire(f"arn:aws:lambda:{call.region}:{call.principal.account}:function:{name}")
        return answer

    def put_event_invoke_config(self, call: Call) -> Answer:
        """The emulator appends to what is there and reads the first back: drop the old settings before."""
        assert call.principal is not None
        name = call.params["FunctionName"].split(":")[-1]
        found = lambda_backends[call.principal.account][call.region].get_function(name)
        found.event_invoke_config.clear()
        return self._emulator.answer(call, call.principal.account)
