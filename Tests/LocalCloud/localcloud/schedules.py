"""Schedules do not fire by themselves here: a test says when a rule's hour has come."""

from __future__ import annotations

import datetime
import fnmatch
import json
import uuid
from collections.abc import Callable
from typing import Any


class Schedules:
    """`fire` does what EventBridge does with a rule that has a schedule: it invokes the rule's functions."""

    def __init__(self, client: Callable[[str], Any], region: str, account: str):
        self._client = client
        self._region = region
        self._account = account

    def fire(self, rule: str) -> int:
        """Invoke the functions of one rule, named by name or ARN, and say how many there were.

        A rule that is disabled invokes none; a function whose policy does not let this rule invoke it is an error.
        """
        name = rule.rsplit("/", 1)[-1]
        events = self._client("events")
        described = events.describe_rule(Name=name)
        if not described.get("ScheduleExpression"):
            raise ValueError(f"rule {name} has no schedule")
        if described["State"] != "ENABLED":
            return 0
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
        for target in targets:
            self._check(target["Arn"], described["Arn"])
            payload = target.get("Input") or json.dumps(self._event(described["Arn"]))
            self._client("lambda").invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=payload.encode())
        return len(targets)

    def _event(self, arn: str) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self._account,
            "time": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
            "resources": [arn],
            "detail": {},
        }

    def _check(self, function: str, rule: str) -> None:
        policy = json.loads(self._client("lambda").get_policy(FunctionName=function)["Policy"])
        for statement in policy["Statement"]:
            principal = statement.get("Principal", {})
            pattern = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn")
            if (
                statement["Effect"] == "Allow"
                and statement["Action"] == "lambda:InvokeFunction"
                and principal.get("Service") == "events.amazonaws.com"
                and pattern is not None
                and fnmatch.fnmatchcase(rule, pattern)
            ):
                return
        raise PermissionError(f"{function} does not let {rule} invoke it")
