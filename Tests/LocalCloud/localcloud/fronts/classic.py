"""A Classic Load Balancer's HTTPS listener, from outside."""

from __future__ import annotations

from moto.elb.models import elb_backends

from localcloud.cloud import LocalCloud
from localcloud.fronts.targets import forwarded
from localcloud.fronts.tls import Keys, TlsFront
from localcloud.gateway.call import Answer, Call


class ClassicFront(TlsFront):
    """`with ClassicFront(cloud, load_balancer_name) as front:` — HTTPS at 127.0.0.1:`front.port` for the listener at
    `listener_port`. Requests go to the first registered instance that runs."""

    def __init__(self, cloud: LocalCloud, load_balancer: str, listener_port: int = 443):
        self._cloud = cloud
        self._name, self._listener_port = load_balancer, listener_port
        super().__init__(Keys(cloud.acm, cloud.server_certificates), self._listed, self._answer)

    def __enter__(self) -> ClassicFront:
        return self

    def _listed(self) -> list[str]:
        found = elb_backends[self._cloud.account][self._cloud.region].load_balancers.get(self._name)
        listeners = found.listeners if found else []
        return [
            each.ssl_certificate_id
            for each in listeners
            if int(each.load_balancer_port) == self._listener_port and each.ssl_certificate_id
        ]

    def _answer(self, call: Call) -> Answer:
        described = self._cloud.client("elb").describe_load_balancers(LoadBalancerNames=[self._name])
        balancer = described["LoadBalancerDescriptions"][0]
        listeners = [each["Listener"] for each in balancer["ListenerDescriptions"]]
        listener = next(each for each in listeners if each["LoadBalancerPort"] == self._listener_port)
        registered = {each["InstanceId"]: listener["InstancePort"] for each in balancer["Instances"]}
        return forwarded(self._cloud, call, registered, listener["InstanceProtocol"])
