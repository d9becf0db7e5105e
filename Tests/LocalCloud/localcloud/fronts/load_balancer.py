"""An application load balancer's listener, from outside."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import elbv2_backends

from localcloud.cloud import LocalCloud
from localcloud.fronts.targets import forwarded
from localcloud.fronts.tls import Keys, TlsFront
from localcloud.gateway.call import Answer, Call


class ListenerFront(TlsFront):
    """`with ListenerFront(cloud, listener_arn) as front:` — HTTPS at 127.0.0.1:`front.port`, whatever port the listener
    has. Certificates and actions are looked up at every connection and request, so that it follows changes.

    Requests are answered by the default action: fixed-response, redirect, or forward to running instances.
    """

    def __init__(self, cloud: LocalCloud, listener_arn: str):
        self._cloud = cloud
        self._arn = listener_arn
        keys = Keys(cloud.acm, cloud.server_certificates)
        super().__init__(keys, self._listed, self._answer)

    def __enter__(self) -> ListenerFront:
        return self

    def _listed(self) -> list[str]:
        """The listener's certificates, default first; none when it is gone."""
        parts = self._arn.split(":")
        balancers = list(elbv2_backends[parts[4]][parts[3]].load_balancers.values())
        found = next((each.listeners[self._arn] for each in balancers if self._arn in each.listeners), None)
        return list(found.certificates) if found else []

    def _answer(self, call: Call) -> Answer:
        elb = self._cloud.client("elbv2", region=self._arn.split(":")[3])
        action = elb.describe_listeners(ListenerArns=[self._arn])["Listeners"][0]["DefaultActions"][0]
        if action["Type"] == "fixed-response":
            fixed = action["FixedResponseConfig"]
            kind = fixed.get("ContentType") or "text/plain"
            return Answer(int(fixed["StatusCode"]), [("Content-Type", kind)], fixed.get("MessageBody", "").encode())
        if action["Type"] == "redirect":
            status = int(action["RedirectConfig"]["StatusCode"].removeprefix("HTTP_"))
            return Answer(status, [("Location", self._location(call, action["RedirectConfig"]))])
        return self._forwarded(call, elb, action["TargetGroupArn"])

    @staticmethod
    def _location(call: Call, wanted: dict[str, Any]) -> str:
        found = {"host": call.header("host") or "", "path": call.path.lstrip("/"), "query": call.query_string}
        scheme = wanted.get("Protocol", "HTTPS").replace("#{protocol}", "https").lower()
        place = wanted.get("Host", "#{host}") + wanted.get("Path", "/#{path}")
        template = f"{scheme}://{place}?{wanted.get('Query', '#{query}')}"
        for name, value in found.items():
            template = template.replace("#{" + name + "}", value)
        return template.rstrip("?")

    def _forwarded(self, call: Call, elb: Any, group: str) -> Answer:
        protocol = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["Protocol"]
        health = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        targets = {each["Target"]["Id"]: int(each["Target"]["Port"]) for each in health}
        return forwarded(self._cloud, call, targets, protocol)
