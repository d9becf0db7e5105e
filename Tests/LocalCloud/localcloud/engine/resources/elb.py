"""AWS::ElasticLoadBalancing::LoadBalancer, the Classic Load Balancer."""

from __future__ import annotations

from typing import Any

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.resource_type import Context, ResourceType, boolean
from localcloud.engine.resources.shapes import only
from localcloud.engine.stack import Physical

_LISTENER = {"InstancePort", "InstanceProtocol", "LoadBalancerPort", "PolicyNames", "Protocol", "SSLCertificateId"}
_POLICY = {"Attributes", "InstancePorts", "LoadBalancerPorts", "PolicyName", "PolicyType"}


def _listener(value: dict[str, Any]) -> dict[str, Any]:
    only(value, _LISTENER, "a listener")
    made = {
        "Protocol": value["Protocol"],
        "LoadBalancerPort": int(value["LoadBalancerPort"]),
        "InstancePort": int(value["InstancePort"]),
        "InstanceProtocol": value.get("InstanceProtocol", value["Protocol"]),
    }
    if "SSLCertificateId" in value:
        made["SSLCertificateId"] = value["SSLCertificateId"]
    return made


class LoadBalancer(ResourceType):
    name = "AWS::ElasticLoadBalancing::LoadBalancer"
    name_property = "LoadBalancerName"
    properties = frozenset(
        {
            "AvailabilityZones",
            "ConnectionDrainingPolicy",
            "ConnectionSettings",
            "CrossZone",
            "HealthCheck",
            "Listeners",
            "LoadBalancerName",
            "Policies",
            "Scheme",
            "SecurityGroups",
            "Subnets",
            "Tags",
        }
    )
    required = frozenset({"Listeners"})
    replaced_by = frozenset({"LoadBalancerName", "Scheme"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client = context.client("elb")
        name = properties.get("LoadBalancerName") or context.generated_name(32)
        wanted: dict[str, Any] = {
            "LoadBalancerName": name,
            "Listeners": [_listener(x) for x in properties["Listeners"]],
        }
        for member in ("AvailabilityZones", "Scheme", "SecurityGroups", "Subnets"):
            if member in properties:
                wanted[member] = properties[member]
        if "AvailabilityZones" not in wanted and "Subnets" not in wanted:
            raise ResourceFailed("Either AvailabilityZones or SubnetIds must be specified")
        made = client.create_load_balancer(**wanted)
        context.adopt(name, properties)
        self._configure(client, name, properties)
        self._set_policies(client, name, {}, properties)
        attributes = {
            "DNSName": made["DNSName"],
            "CanonicalHostedZoneName": made["DNSName"],
            "CanonicalHostedZoneNameID": "Z35SXDOTRQ7X7K",
            "SourceSecurityGroup.GroupName": "amazon-elb-sg",
            "SourceSecurityGroup.OwnerAlias": "amazon-elb",
        }
        return Physical(name, properties, attributes)

    @staticmethod
    def _configure(client: Any, name: str, properties: dict[str, Any]) -> None:
        if "HealthCheck" in properties:
            check = properties["HealthCheck"]
            numbers = ("HealthyThreshold", "Interval", "Timeout", "UnhealthyThreshold")
            only(check, {"Target", *numbers}, "HealthCheck")
            client.configure_health_check(
                LoadBalancerName=name, HealthCheck={"Target": check["Target"], **{n: int(check[n]) for n in numbers}}
            )
        settings: dict[str, Any] = {}
        if "CrossZone" in properties:
            settings["CrossZoneLoadBalancing"] = {"Enabled": boolean(properties["CrossZone"])}
        if "ConnectionDrainingPolicy" in properties:
            policy = properties["ConnectionDrainingPolicy"]
            settings["ConnectionDraining"] = {"Enabled": boolean(policy["Enabled"])}
            if "Timeout" in policy:
                settings["ConnectionDraining"]["Timeout"] = int(policy["Timeout"])
        if "ConnectionSettings" in properties:
            settings["ConnectionSettings"] = {"IdleTimeout": int(properties["ConnectionSettings"]["IdleTimeout"])}
        if settings:
            client.modify_load_balancer_attributes(LoadBalancerName=name, LoadBalancerAttributes=settings)

    @staticmethod
    def _set_policies(client: Any, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Policies can only be created and deleted. New names come first, then the ports move over, then old names go.

        One whose name stays while its contents change is taken off its ports, deleted and made anew: trust is broken
        for that moment, which is why names should change with their contents.
        """
        before = {policy["PolicyName"]: policy for policy in old.get("Policies", [])}
        after = {policy["PolicyName"]: policy for policy in new.get("Policies", [])}
        for policy in after.values():
            only(policy, _POLICY, "an ELB policy")
        changed = {n for n in set(before) & set(after) if before[n]["Attributes"] != after[n]["Attributes"]}
        old_ports = {int(port) for policy in before.values() for port in policy.get("InstancePorts", [])}

        def attach(port: int, names: list[str]) -> None:
            client.set_load_balancer_policies_for_backend_server(
                LoadBalancerName=name, InstancePort=port, PolicyNames=names
            )

        if changed:
            for port in old_ports:
                attach(port, [])
        for policy_name in changed:
            client.delete_load_balancer_policy(LoadBalancerName=name, PolicyName=policy_name)
        for policy_name, policy in after.items():
            if policy_name not in before or policy_name in changed:
                client.create_load_balancer_policy(
                    LoadBalancerName=name,
                    PolicyName=policy_name,
                    PolicyTypeName=policy["PolicyType"],
                    PolicyAttributes=[
                        {"AttributeName": a["Name"], "AttributeValue": str(a["Value"])} for a in policy["Attributes"]
                    ],
                )
        ports: dict[int, list[str]] = {port: [] for port in old_ports}
        listening = {int(x["LoadBalancerPort"]): list(x.get("PolicyNames", [])) for x in new["Listeners"]}
        for policy_name, policy in after.items():
            for port in policy.get("InstancePorts", []):
                ports.setdefault(int(port), []).append(policy_name)
            for port in policy.get("LoadBalancerPorts", []):
                listening.setdefault(int(port), []).append(policy_name)
        for port, names in ports.items():
            attach(port, names)
        for port, names in listening.items():
            if names:
                client.set_load_balancer_policies_of_listener(
                    LoadBalancerName=name, LoadBalancerPort=port, PolicyNames=names
                )
        for gone in set(before) - set(after):
            client.delete_load_balancer_policy(LoadBalancerName=name, PolicyName=gone)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client, old = context.client("elb"), physical.properties
        for member in ("AvailabilityZones", "Subnets", "SecurityGroups"):
            if old.get(member) != properties.get(member):
                raise ResourceFailed(f"Not covered locally: a change of {member} of {self.name}")
        if old["Listeners"] != properties["Listeners"]:
            client.delete_load_balancer_listeners(
                LoadBalancerName=physical.id, LoadBalancerPorts=[int(x["LoadBalancerPort"]) for x in old["Listeners"]]
            )
            client.create_load_balancer_listeners(
                LoadBalancerName=physical.id, Listeners=[_listener(x) for x in properties["Listeners"]]
            )
        self._configure(client, physical.id, properties)
        self._set_policies(client, physical.id, old, properties)
        return Physical(physical.id, properties, physical.attributes)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("elb").describe_load_balancers(LoadBalancerNames=[physical.id])

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("elb").delete_load_balancer(LoadBalancerName=physical.id)
