"""Plays a history on a stack of its own, and says which rules were broken."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from localcloud.faults import Fault
from support import tls
from support.application import ATTRIBUTES, application, await_next_second
from support.provider import Provider

from histories.history import DELIVERIES, PASSING, History, Operation, Trouble

KEPT = [name for name in ATTRIBUTES if not name.startswith("PreviousPublicKey")]
_REFUSALS = {
    "slow-down": (503, "SlowDown"),
    "internal-error": (500, "InternalError"),
    "conflict": (409, "ConditionalRequestConflict"),
    "access-denied": (403, "AccessDenied"),
}


@dataclass
class Player:
    """One stack. It has another resource from the beginning, so that its id is known and the certificate can go."""

    provider: Provider
    history: History
    broken: list[str] = field(default_factory=list)
    struck: int = 0

    def __post_init__(self) -> None:
        self.cloud = self.provider.cloud
        self.name = f"history-{self.history.rollback}-{self.history.seed}"
        self.properties: dict[str, Any] = dict(application(self.provider, self.name).properties)
        self.earlier = dict(self.properties)
        self.attributes: dict[str, str] | None = None
        self.rotations = 1

    def play(self) -> None:
        try:
            created = self.cloud.stacks.create(self.name, self._template(None))
            self.guid = created.id.rsplit("/", 1)[1]
            for operation in self.history.operations:
                self._perform(operation)
            deleted = self.cloud.stacks.delete(self.name)
            self._expect(deleted.status == "DELETE_COMPLETE", f"the stack is {deleted.status}: {deleted.reasons()}")
        except Exception as error:
            self.broken.append(f"{type(error).__name__}: {error}")

    def check_that_nothing_is_left(self) -> None:
        """To be asked when nothing is being delivered any more."""
        left = self.provider.versions(f"backend-certificate/{self.name}/")
        self._expect(left == [], f"bundles are left: {left}")
        state = [key for key in self.provider.state() if self.guid in key and not key.startswith("tombstones/")]
        self._expect(state == [], f"facts are left: {state}")

    def _perform(self, operation: Operation) -> None:
        is_there = self.attributes is not None
        if (operation.kind == "add") == is_there:
            return
        wanted = self._wanted(operation)
        if is_there and wanted == self.properties:
            return
        await_next_second()
        fault = self._add(operation.trouble) if operation.trouble else None
        result = self.cloud.stacks.update(self.name, self._template(wanted, operation.fails_later))
        if fault:
            self.struck += fault.struck
            self.cloud.faults.remove(fault)
        what = f"{operation} is {result.status}: {result.reasons()}"
        passes = operation.trouble is None or operation.trouble.effect in PASSING + DELIVERIES
        if result.status == "UPDATE_COMPLETE":
            self._expect(not operation.fails_later, what)
            self._take(wanted, result.outputs)
        else:
            self._expect(result.status == "UPDATE_ROLLBACK_COMPLETE", what)
            self._expect(operation.fails_later or not passes, what)
            if self.attributes is not None:
                changed = [name for name in KEPT if result.outputs.get(name) != self.attributes[name]]
                self._expect(not changed, f"{what}: the rollback changed {changed}")
                self.attributes = dict(result.outputs)
        self._check_bundle()

    def _wanted(self, operation: Operation) -> dict[str, Any] | None:
        match operation.kind:
            case "remove":
                return None
            case "rotate":
                self.rotations += 1
                return {**self.properties, "Rotation": str(self.rotations)}
            case "setting":
                return {**self.properties, "RotationParameter": f"Parameter{self.rotations}"}
            case "back":
                return self.earlier
        return self.properties

    def _take(self, wanted: dict[str, Any] | None, outputs: dict[str, str]) -> None:
        if wanted is None:
            self.attributes = None
            return
        missing = [name for name in ATTRIBUTES if not outputs.get(name)]
        self._expect(not missing, f"attributes are missing: {missing}")
        if self.attributes is not None:
            rotated = wanted["Rotation"] != self.properties["Rotation"]
            expected = self.attributes["PublicKey" if rotated else "PreviousPublicKey"]
            self._expect(outputs["PreviousPublicKey"] == expected, "PreviousPublicKey is another than expected")
            if rotated:
                self._expect(outputs["PublicKey"] != self.attributes["PublicKey"], "a rotation kept the key")
                self.earlier = self.properties
        self.properties, self.attributes = wanted, dict(outputs)

    def _check_bundle(self) -> None:
        if self.attributes is None:
            return
        key = self.attributes["CertificateS3Key"]
        public_key = tls.public_key_of(self.provider.bundle(key)["private_key"])
        self._expect(public_key == self.attributes["PublicKey"], "the stack's public key is not the bundle's")

    def _add(self, trouble: Trouble) -> Fault:
        faults = self.cloud.faults
        if trouble.effect in DELIVERIES:
            return faults.add(trouble.effect, kind="delivery", where=self._is_mine, seconds=1)
        if trouble.effect in _REFUSALS:
            status, code = _REFUSALS[trouble.effect]
            return faults.add("refuse", kind="step", nth=trouble.step, status=status, code=code, where=self._is_mine)
        return faults.add(trouble.effect, kind="step", nth=trouble.step, where=self._is_mine)

    def _is_mine(self, event: Any) -> bool:
        """Events are calls of AWS, custom-resource requests, or those with their answers."""
        if isinstance(event, dict):
            return self.guid in event["StackId"]
        if hasattr(event, "request"):
            return self.guid in event.request["StackId"]
        return event.service == "s3" and self.guid in str(event.params)

    def _template(self, properties: dict[str, Any] | None, fails_later: bool = False) -> str:
        resources: dict[str, Any] = {
            "Other": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}
        }
        outputs = {}
        if properties is not None:
            resources["Certificate"] = {"Type": "Custom::ElbBackendCertificate", "Properties": properties}
            outputs = {name: {"Value": {"Fn::GetAtt": ["Certificate", name]}} for name in ATTRIBUTES}
        if fails_later:
            resources["Later"] = {
                "Type": "AWS::SSM::Parameter",
                "DependsOn": "Certificate",
                "Properties": {"Type": "String", "Value": ""},
            }
        return json.dumps({"Resources": resources, "Outputs": outputs})

    def _expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.broken.append(what)
