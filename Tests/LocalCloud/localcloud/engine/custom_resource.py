"""Custom resources: the event to the provider, and what is asked of its response."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from localcloud.engine.errors import Cancelled, ResourceFailed
from localcloud.engine.resource_type import Context, ResourceType, suffix, text
from localcloud.engine.response_server import ResponseServer, Slot
from localcloud.engine.stack import Physical
from localcloud.faults import DELIVERY, Faults
from localcloud.recorder import CustomResourceExchange, Recorder

_LARGEST_RESPONSE = 4096
_LONGEST_ID = 1024
_POLL = 0.005


class CustomResource(ResourceType):
    """`AWS::CloudFormation::CustomResource` and every `Custom::` type."""

    name = "AWS::CloudFormation::CustomResource"
    is_custom = True

    def __init__(
        self,
        server: ResponseServer,
        faults: Faults,
        recorder: Recorder,
        default_timeout: float,
        kill: Callable[[str], None],
    ):
        self._server = server
        self._faults = faults
        self._recorder = recorder
        self._default_timeout = default_timeout
        self._kill = kill

    def validate(self, properties: dict[str, Any]) -> None:
        if "ServiceToken" not in properties:
            raise ResourceFailed("Missing required property ServiceToken")
        timeout = properties.get("ServiceTimeout")
        if timeout is not None and not (str(timeout).isdigit() and 1 <= int(timeout) <= 3600):
            raise ResourceFailed("ServiceTimeout must be between 1 and 3600 seconds")

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        response = self._ask(context, "Create", properties)
        if response["Status"] == "FAILED":
            raise _refused(response)
        return self._physical(context, response, properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        if physical.properties.get("ServiceToken") != properties.get("ServiceToken"):
            raise ResourceFailed("Modifying service token is not allowed.")
        response = self._ask(context, "Update", properties, physical.id, physical.properties)
        if response["Status"] == "FAILED":
            # The id of a failed Update is taken over all the same: a changed one corrupts the stack.
            raise _refused(response)
        return self._physical(context, response, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        response = self._ask(context, "Delete", physical.properties, physical.id)
        if response["Status"] == "FAILED":
            raise _refused(response)

    def attribute(self, physical: Physical, name: str) -> Any:
        if name not in physical.attributes:
            raise ResourceFailed(
                f"CustomResource attribute error: Vendor response doesn't contain {name} attribute in object "
                + physical.id
            )
        return physical.attributes[name]

    @staticmethod
    def invented_id(context: Context) -> str:
        """The physical id that CloudFormation makes up for a Create that never answered."""
        return f"{context.stack.name}-{context.state.name}-{suffix()}"

    @staticmethod
    def _physical(context: Context, response: dict[str, Any], properties: dict[str, Any]) -> Physical:
        return Physical(response["PhysicalResourceId"], properties, response.get("Data") or {}, context.kind)

    def _ask(
        self,
        context: Context,
        kind: str,
        properties: dict[str, Any],
        physical_id: str | None = None,
        old: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one event, wait for a valid response. Cancelled when the operation is given up meanwhile."""
        event: dict[str, Any] = {
            "RequestType": kind,
            "ServiceToken": properties["ServiceToken"],
            "ResponseURL": "",
            "StackId": context.stack.id,
            "RequestId": str(uuid.uuid4()),
            "LogicalResourceId": context.state.name,
            "ResourceType": context.kind,
            "ResourceProperties": text(properties),
        }
        if physical_id is not None:
            event["PhysicalResourceId"] = physical_id
        if old is not None:
            event["OldResourceProperties"] = text(old)
        exchange = CustomResourceExchange(event)
        slot, event["ResponseURL"] = self._server.open(exchange, self._kill, context.stack.region)
        self._recorder.add(exchange)
        sent = False
        try:
            self._send(context, event)
            sent = True
            exchange.response = self._await(context, kind, properties, slot, event)
        except ResourceFailed as failure:
            exchange.failure, failure.sent = str(failure), sent
            raise
        return exchange.response

    def _send(self, context: Context, event: dict[str, Any]) -> None:
        fault = self._faults.striking(DELIVERY, event["RequestType"], event=event)
        copies = 2 if fault and fault.effect == "duplicate" else 1
        delay = fault.seconds if fault and fault.effect == "late" else 0

        def deliver() -> None:
            time.sleep(delay)
            for _ in range(copies):
                _hand_over(context, event)

        if delay:
            threading.Thread(target=deliver, daemon=True).start()
        else:
            deliver()

    def _await(
        self, context: Context, kind: str, properties: dict[str, Any], slot: Slot, event: dict[str, Any]
    ) -> dict[str, Any]:
        limit = time.monotonic() + float(properties.get("ServiceTimeout") or self._default_timeout)
        while not slot.arrived.wait(_POLL):
            # A Delete is always waited for: only creations and updates are given up.
            if kind != "Delete" and context.cancel.is_set():
                raise Cancelled(f"Resource {'creation' if kind == 'Create' else 'update'} cancelled")
            if time.monotonic() > limit:
                raise ResourceFailed(
                    "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
                    f"requestId [{event['RequestId']}]."
                )
        return validated(slot.body, event)


def _hand_over(context: Context, event: dict[str, Any]) -> None:
    """Invoke the function, or publish to the topic, with the stack's permissions."""
    token, body = event["ServiceToken"], json.dumps(event)
    try:
        if token.split(":")[2] == "lambda":
            context.client("lambda").invoke(FunctionName=token, InvocationType="Event", Payload=body.encode())
        elif token.split(":")[2] == "sns":
            context.client("sns").publish(
                TopicArn=token, Message=body, Subject="AWS CloudFormation custom resource request"
            )
        else:
            raise ResourceFailed(f"Invalid ServiceToken {token}")
    except IndexError:
        raise ResourceFailed(f"Invalid ServiceToken {token}") from None
    except context.client("lambda").exceptions.ClientError as error:
        raise ResourceFailed(str(error)) from None


def _refused(response: dict[str, Any]) -> ResourceFailed:
    failure = ResourceFailed(
        "Received response status [FAILED] from custom resource. Message returned: "
        f"{response.get('Reason', '')} (RequestId: {response['RequestId']})",
        response["PhysicalResourceId"],
    )
    failure.sent = True
    return failure


def validated(body: bytes, event: dict[str, Any]) -> dict[str, Any]:
    """The response, once it is all that CloudFormation asks for; ResourceFailed with its words otherwise."""
    if len(body) > _LARGEST_RESPONSE:
        raise ResourceFailed("Response object is too long.")
    try:
        response = json.loads(body)
    except ValueError:
        raise ResourceFailed("Invalid response object: body is not JSON") from None
    if not isinstance(response, dict):
        raise ResourceFailed("Invalid response object: body is not an object")
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        if response.get(name) != event[name]:
            raise ResourceFailed(f"Invalid response object: Value of property {name} must match the request's")
    if response.get("Status") not in ("SUCCESS", "FAILED"):
        raise ResourceFailed("Invalid response object: Value of property Status must be SUCCESS or FAILED")
    if response["Status"] == "FAILED" and not response.get("Reason"):
        raise ResourceFailed("Invalid response object: property Reason is required for FAILED")
    identifier = response.get("PhysicalResourceId")
    if not isinstance(identifier, str) or not 1 <= len(identifier.encode()) <= _LONGEST_ID:
        raise ResourceFailed("Invalid PhysicalResourceId")
    data = response.get("Data")
    if data is not None and not isinstance(data, dict):
        raise ResourceFailed("Invalid response object: property Data must be an object")
    return response
