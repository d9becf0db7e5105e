"""Where a function's log lines go: to CloudWatch Logs, as far as the function's role may write there."""

from __future__ import annotations

import time
from collections.abc import Callable

from moto.logs.models import logs_backends

from localcloud.authz.authorizer import Authorizer
from localcloud.authz.principals import Principals
from localcloud.errors import AwsError
from localcloud.lambda_host.function import Function
from localcloud.recorder import ApiCall, Recorder


class FunctionLogs:
    """Writes with the role's permissions, as Lambda does: without them the lines are lost, silently."""

    def __init__(self, authorizer: Authorizer, principals: Principals, recorder: Recorder):
        self._authorizer = authorizer
        self._principals = principals
        self._recorder = recorder

    def write(self, function: Function, log: str) -> None:
        try:
            principal = self._principals.open_session(function.role, function.name).principal
        except AwsError:
            return
        record = ApiCall(
            self._recorder.next_number(), "logs:PutLogEvents", principal.arn, function.region, "POST", "/", [], b"", {}
        )
        group = function.log_group
        arn = f"arn:aws:logs:{function.region}:{function.account}:log-group:{group}:*"

        def may(action: str) -> bool:
            decision = self._authorizer.check(principal, action, arn, {"aws:securetransport": "true"})
            record.decisions.append(decision)
            return decision.allowed

        written = self._write(function, group, log, may)
        record.status = 200 if written else 400
        self._recorder.add_service_call(record)

    @staticmethod
    def _write(function: Function, group: str, log: str, may: Callable[[str], bool]) -> bool:
        backend = logs_backends[function.account][function.region]
        if group not in backend.groups:
            if not may("logs:CreateLogGroup"):
                return False
            backend.create_log_group(group, {})
        stream = function.log_stream(function.code_digest[:32])
        if stream not in backend.groups[group].streams:
            if not may("logs:CreateLogStream"):
                return False
            backend.create_log_stream(group, stream)
        if not may("logs:PutLogEvents"):
            return False
        now = int(time.time() * 1000)
        backend.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in log.split("\n")])
        return True
