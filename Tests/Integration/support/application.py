"""Application stacks, as small as they can be: one certificate, and on request one resource after it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from localcloud import LocalCloud
from localcloud.stacks import StackResult

from support.provider import Provider

ATTRIBUTES = (
    "PublicKey",
    "PreviousPublicKey",
    "CertificateS3Key",
    "CertificateS3Prefix",
    "PublicKeyFingerprint",
    "PreviousPublicKeyFingerprint",
    "CertificateFingerprint",
    "SerialNumber",
    "NotBefore",
    "NotAfter",
)
# Long enough for two redeliveries, short enough for a test that waits for an answer in vain.
SERVICE_TIMEOUT = "30"


def await_next_second() -> None:
    """CloudFormation dates its events to the second, and of two in one second a Delete counts as the later one."""
    time.sleep(1 - time.time() % 1)


def template(properties: dict[str, Any], later: str | None = None) -> str:
    """A template with a certificate of these properties. `later` is the value of a parameter in the parameter store,
    made after the certificate; an empty one cannot be made, so that the operation fails after the certificate."""
    resources: dict[str, Any] = {
        "Certificate": {"Type": "Custom::ElbBackendCertificate", "Properties": properties},
    }
    if later is not None:
        resources["Later"] = {
            "Type": "AWS::SSM::Parameter",
            "DependsOn": "Certificate",
            "Properties": {"Type": "String", "Value": later},
        }
    outputs = {name: {"Value": {"Fn::GetAtt": ["Certificate", name]}} for name in ATTRIBUTES}
    outputs["PhysicalId"] = {"Value": {"Ref": "Certificate"}}
    return json.dumps({"Resources": resources, "Outputs": outputs}, indent=1)


@dataclass
class Application:
    """One application stack and the properties of its certificate."""

    cloud: LocalCloud
    name: str
    properties: dict[str, Any]
    result: StackResult | None = field(default=None)

    @property
    def attributes(self) -> dict[str, str]:
        assert self.result is not None
        return self.result.outputs

    @property
    def guid(self) -> str:
        """The last part of the stack's id, which is in every key of the stack's."""
        assert self.result is not None
        return self.result.id.rsplit("/", 1)[1]

    def create(self, later: str | None = None, **more: Any) -> StackResult:
        self.result = self.cloud.stacks.create(self.name, template(self.properties, later), **more)
        return self.result

    def update(self, later: str | None = None, drop: tuple[str, ...] = (), **changes: Any) -> StackResult:
        """Change properties; those in `drop` are taken out. A failed update leaves `properties` as they were."""
        wanted = {k: v for k, v in {**self.properties, **changes}.items() if k not in drop}
        self.result = self.cloud.stacks.update(self.name, template(wanted, later))
        if self.result.status == "UPDATE_COMPLETE":
            self.properties = wanted
        return self.result

    def delete(self, **more: Any) -> StackResult:
        result = self.cloud.stacks.delete(self.name, **more)
        if result.status == "DELETE_COMPLETE":
            self.result = result
        return result

    def events(self) -> list[tuple[str, str | None, str | None, str | None]]:
        """What CloudFormation asked the function for this stack, and what it was answered: see Recorder.events."""
        assert self.result is not None
        return [
            (
                exchange.request["RequestType"],
                exchange.request.get("PhysicalResourceId"),
                (exchange.response or {}).get("Status"),
                (exchange.response or {}).get("PhysicalResourceId"),
            )
            for exchange in list(self.cloud.recorder.exchanges)
            if exchange.request["StackId"] == self.result.id
        ]

    def kinds(self) -> list[str]:
        return [kind for kind, *_ in self.events()]


def application(provider: Provider, name: str, **properties: Any) -> Application:
    """An application stack that is not created yet. EC P-256, because it is made in no time."""
    defaults = {
        "ServiceToken": provider.arn,
        "ServiceTimeout": SERVICE_TIMEOUT,
        "AppDomain": f"{name}.example.com",
        "AppName": name,
        "AppS3Bucket": provider.bucket,
        "KeyAlgorithm": "EC_P256",
        "Rotation": "1",
    }
    return Application(provider.cloud, name, {**defaults, **properties})
