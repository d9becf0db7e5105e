"""AWS::ElasticLoadBalancingV2: load balancers, target groups, listeners and their further certificates."""

from __future__ import annotations

from typing import Any

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.resource_type import Context, ResourceType, boolean
from localcloud.engine.resources.shapes import integers, only, picked
from localcloud.engine.stack import Physical

_ACTION = {"FixedResponseConfig", "ForwardConfig", "Order", "RedirectConfig", "TargetGroupArn", "Type"}
_HEALTH_TEXTS = ("HealthCheckPath", "HealthCheckPort", "HealthCheckProtocol")
_HEALTH_NUMBERS = (
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
)


def _attributes(value: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"Key": each["Key"], "Value": str(each["Value"]).lower()} for each in value]


def _actions(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for action in value:
        only(action, _ACTION, "a listener's action")
    return [{**action, **integers(action, "Order")} for action in value]


def _certificates(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for certificate in value:
        only(certificate, {"CertificateArn"}, "a listener's certificate")
    return value


def _named(context: Context, properties: dict[str, Any]) -> str:
    """Names are of 32 letters, digits and single hyphens at most."""
    return properties.get("Name") or context.generated_name(32).replace("_", "-")


class LoadBalancer(ResourceType):
    name = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    name_property = "Name"
    properties = frozenset(
        {"IpAddressType", "LoadBalancerAttributes", "Name", "Scheme", "SecurityGroups", "Subnets", "Tags", "Type"}
    )
    required = frozenset({"Subnets"})
    replaced_by = frozenset({"Name", "Scheme", "Type"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client = context.client("elbv2")
        wanted = picked(properties, "IpAddressType", "Scheme", "SecurityGroups", "Subnets", "Tags", "Type")
        made = client.create_load_balancer(Name=_named(context, properties), **wanted)["LoadBalancers"][0]
        arn = made["LoadBalancerArn"]
        context.adopt(arn, properties)
        self._configure(client, arn, properties)
        attributes = {
            "LoadBalancerArn": arn,
            "DNSName": made["DNSName"],
            "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
            "LoadBalancerFullName": arn.split(":loadbalancer/")[1],
            "LoadBalancerName": made["LoadBalancerName"],
            "SecurityGroups": made.get("SecurityGroups", []),
        }
        return Physical(arn, properties, attributes)

    @staticmethod
    def _configure(client: Any, arn: str, properties: dict[str, Any]) -> None:
        if properties.get("LoadBalancerAttributes"):
            wanted = _attributes(properties["LoadBalancerAttributes"])
            client.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client, old = context.client("elbv2"), physical.properties
        for member in ("IpAddressType", "Tags"):
            if old.get(member) != properties.get(member):
                raise ResourceFailed(f"Not covered locally: a change of {member} of {self.name}")
        if old.get("SecurityGroups") != properties.get("SecurityGroups"):
            client.set_security_groups(
                LoadBalancerArn=physical.id, SecurityGroups=properties.get("SecurityGroups") or []
            )
        if old["Subnets"] != properties["Subnets"]:
            client.set_subnets(LoadBalancerArn=physical.id, Subnets=properties["Subnets"])
        self._configure(client, physical.id, properties)
        return Physical(physical.id, properties, physical.attributes)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("elbv2").describe_load_balancers(LoadBalancerArns=[physical.id])

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("elbv2").delete_load_balancer(LoadBalancerArn=physical.id)


class TargetGroup(ResourceType):
    name = "AWS::ElasticLoadBalancingV2::TargetGroup"
    name_property = "Name"
    replaced_by = frozenset({"Name", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId"})
    properties = frozenset(
        {
            *replaced_by,
            *_HEALTH_TEXTS,
            *_HEALTH_NUMBERS,
            "HealthCheckEnabled",
            "Matcher",
            "Tags",
            "TargetGroupAttributes",
        }
        | {"Targets"}
    )

    @staticmethod
    def _health(properties: dict[str, Any]) -> dict[str, Any]:
        wanted: dict[str, Any] = {**picked(properties, *_HEALTH_TEXTS), **integers(properties, *_HEALTH_NUMBERS)}
        if "HealthCheckEnabled" in properties:
            wanted["HealthCheckEnabled"] = boolean(properties["HealthCheckEnabled"])
        if "Matcher" in properties:
            only(properties["Matcher"], {"HttpCode"}, "Matcher")
            wanted["Matcher"] = {"HttpCode": str(properties["Matcher"]["HttpCode"])}
        return wanted

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client = context.client("elbv2")
        wanted = picked(properties, "Protocol", "ProtocolVersion", "Tags", "TargetType", "VpcId")
        wanted |= {**integers(properties, "Port"), **self._health(properties)}
        made = client.create_target_group(Name=_named(context, properties), **wanted)["TargetGroups"][0]
        arn = made["TargetGroupArn"]
        context.adopt(arn, properties)
        self._configure(client, arn, {}, properties)
        attributes = {
            "TargetGroupArn": arn,
            "TargetGroupFullName": arn.rsplit(":", 1)[1],
            "TargetGroupName": made["TargetGroupName"],
        }
        return Physical(arn, properties, attributes)

    @staticmethod
    def _configure(client: Any, arn: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        if new.get("TargetGroupAttributes"):
            wanted = _attributes(new["TargetGroupAttributes"])
            client.modify_target_group_attributes(TargetGroupArn=arn, Attributes=wanted)
        before, after = (
            [{"Id": each["Id"], **integers(each, "Port")} for each in targets.get("Targets", [])]
            for targets in (old, new)
        )
        if gone := [each for each in before if each not in after]:
            client.deregister_targets(TargetGroupArn=arn, Targets=gone)
        if added := [each for each in after if each not in before]:
            client.register_targets(TargetGroupArn=arn, Targets=added)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("elbv2")
        client.modify_target_group(TargetGroupArn=physical.id, **self._health(properties))
        self._configure(client, physical.id, physical.properties, properties)
        return Physical(physical.id, properties, physical.attributes)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("elbv2").describe_target_groups(TargetGroupArns=[physical.id])

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("elbv2").delete_target_group(TargetGroupArn=physical.id)


class Listener(ResourceType):
    name = "AWS::ElasticLoadBalancingV2::Listener"
    properties = frozenset({"Certificates", "DefaultActions", "LoadBalancerArn", "Port", "Protocol", "SslPolicy"})
    required = frozenset({"DefaultActions", "LoadBalancerArn"})
    replaced_by = frozenset({"LoadBalancerArn"})

    @staticmethod
    def _request(properties: dict[str, Any]) -> dict[str, Any]:
        if len(properties.get("Certificates", [])) > 1:
            raise ResourceFailed("You can specify only one certificate per listener")
        _certificates(properties.get("Certificates", []))
        return {
            **picked(properties, "Certificates", "Protocol", "SslPolicy"),
            **integers(properties, "Port"),
            "DefaultActions": _actions(properties["DefaultActions"]),
        }

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        made = context.client("elbv2").create_listener(
            LoadBalancerArn=properties["LoadBalancerArn"], **self._request(properties)
        )
        arn = made["Listeners"][0]["ListenerArn"]
        return Physical(arn, properties, {"ListenerArn": arn})

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        context.client("elbv2").modify_listener(ListenerArn=physical.id, **self._request(properties))
        return Physical(physical.id, properties, physical.attributes)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("elbv2").describe_listeners(ListenerArns=[physical.id])

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("elbv2").delete_listener(ListenerArn=physical.id)


class ListenerCertificate(ResourceType):
    name = "AWS::ElasticLoadBalancingV2::ListenerCertificate"
    properties = frozenset({"Certificates", "ListenerArn"})
    required = properties
    replaced_by = frozenset({"ListenerArn"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        _certificates(properties["Certificates"])
        context.client("elbv2").add_listener_certificates(**properties)
        return Physical(context.generated_name(64), properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        """What is new is added before what is old goes, so that no name is without a certificate meanwhile."""
        client, before = context.client("elbv2"), physical.properties["Certificates"]
        if added := [each for each in properties["Certificates"] if each not in before]:
            client.add_listener_certificates(ListenerArn=properties["ListenerArn"], Certificates=_certificates(added))
        if gone := [each for each in before if each not in properties["Certificates"]]:
            client.remove_listener_certificates(ListenerArn=properties["ListenerArn"], Certificates=gone)
        return Physical(physical.id, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("elbv2").remove_listener_certificates(**physical.properties)
