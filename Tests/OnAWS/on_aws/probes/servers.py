"""What one small server of Amazon Linux 2023 shows: its stunnel, and whether the load balancer trusts its EC key."""

from __future__ import annotations

import urllib.error
import urllib.request

from on_aws.bench import Bench, Inconclusive
from on_aws.certificate import Certificate
from on_aws.claims import Seen, claim, decided

SERVICE = "Servers"
_NONE = "the local cloud's servers are this machine's system, not Amazon Linux"

_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
_BOOT = """#!/bin/bash
dnf -y install stunnel >/dev/null 2>&1
echo "PROOF needs: $(rpm -q --requires stunnel | tr '\\n' ' ')" >/dev/console
echo "PROOF version: $(rpm -q stunnel)" >/dev/console
mkdir /proof && cd /proof
cat >pair.pem <<'PEM'
PAIR
PEM
cat >serve.py <<'PY'
import http.server, ssl

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("pair.pem")


class Server(http.server.ThreadingHTTPServer):
    def get_request(self):
        connection, address = super().get_request()
        return tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


Server(("", 8443), Handler).serve_forever()
PY
python3 serve.py >/dev/null 2>&1 &
echo "PROOF ready" >/dev/console
"""


def _server(bench: Bench) -> tuple[str, Certificate, str]:
    """The server's id, its certificate, and the security group around it and the load balancer."""

    def make() -> tuple[str, Certificate, str]:
        ec2, certificate, group = (
            bench.client("ec2"),
            Certificate("proof.example.com", elliptic=True),
            bench.name("group"),
        )
        found = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
        if not found:
            raise Inconclusive("there is no default VPC in this region")
        tags = [{"ResourceType": "security-group", "Tags": bench.tags}]
        bench.undo(
            f"security group {group}",
            lambda: bench.wait("that the security group is let go of", lambda: _remove_group(bench, group), 600),
        )
        group_id = ec2.create_security_group(
            GroupName=group, Description="stackcert-proof", VpcId=found[0]["VpcId"], TagSpecifications=tags
        )["GroupId"]
        network = ec2.describe_vpcs(VpcIds=[found[0]["VpcId"]])["Vpcs"][0]["CidrBlock"]
        # To the load balancer from here, to the server from the load balancer.
        for port, source in ((80, "0.0.0.0/0"), (8443, network)):
            ec2.authorize_security_group_ingress(
                GroupId=group_id, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp=source
            )
        token = bench.name("server")
        with_key = _BOOT.replace("PAIR\n", certificate.key + certificate.pem)
        bench.undo("server", lambda: _terminate(bench))
        image = bench.client("ssm").get_parameter(Name=_IMAGE)["Parameter"]["Value"]
        made = ec2.run_instances(
            ImageId=image,
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            UserData=with_key,
            ClientToken=token,
            SubnetId=found[0]["SubnetId"],
            SecurityGroupIds=[group_id],
            TagSpecifications=[{"ResourceType": "instance", "Tags": bench.tags}],
        )
        return made["Instances"][0]["InstanceId"], certificate, group_id

    return bench.shared("server", make)


def _remove_group(bench: Bench, group: str) -> bool:
    ec2 = bench.client("ec2")
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [group]}])["SecurityGroups"]
    try:
        for each in found:
            ec2.delete_security_group(GroupId=each["GroupId"])
    except ec2.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "DependencyViolation":
            raise
        return False
    return True


def _terminate(bench: Bench) -> None:
    """All servers with this run's tag."""
    ec2 = bench.client("ec2")
    found = ec2.describe_instances(Filters=[{"Name": "tag:stackcert-proof", "Values": [bench.run]}])["Reservations"]
    identifiers = [each["InstanceId"] for reservation in found for each in reservation["Instances"]]
    if identifiers:
        ec2.terminate_instances(InstanceIds=identifiers)
        ec2.get_waiter("instance_terminated").wait(InstanceIds=identifiers)


def _console(bench: Bench, instance: str) -> list[str]:
    text = bench.client("ec2").get_console_output(InstanceId=instance, Latest=True).get("Output", "")
    lines = [line.split("PROOF ", 1)[1].strip() for line in text.splitlines() if "PROOF " in line]
    return lines if "ready" in lines else []


@claim(
    "server-stunnel-systemd",
    "Amazon Linux 2023's stunnel needs libsystemd: so it takes the socket that systemd holds.",
    not_local=_NONE,
)
def stunnel_systemd(bench: Bench) -> Seen:
    instance, _, _ = _server(bench)
    lines = bench.wait("the server's console", lambda: _console(bench, instance), 600)
    needs = next((line for line in lines if line.startswith("needs:")), "")
    version = next((line for line in lines if line.startswith("version:")), "")
    linked = " ".join(word for word in needs.split() if "systemd" in word)
    return decided("libsystemd" in needs, f"{version}; {linked or 'no systemd among what it requires'}")


@claim(
    "server-elb-ec-handshake",
    "A Classic Load Balancer connects to a server whose EC P-256 key its policy trusts.",
    not_local="the local cloud's load balancer is a stand-in that takes every key type",
)
def elb_ec_handshake(bench: Bench) -> Seen:
    instance, certificate, group = _server(bench)
    bench.wait("the server's console", lambda: _console(bench, instance), 600)
    elb, name = bench.client("elb"), f"proof-{bench.run}-ec"
    where = bench.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    bench.undo(f"load balancer {name}", lambda: elb.delete_load_balancer(LoadBalancerName=name))
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTPS", "InstancePort": 8443}
    address = elb.create_load_balancer(
        LoadBalancerName=name,
        Listeners=[listener],
        Subnets=[where["SubnetId"]],
        SecurityGroups=[group],
        Tags=bench.tags,
    )["DNSName"]
    elb.configure_health_check(
        LoadBalancerName=name,
        HealthCheck={
            "Target": "TCP:8443",
            "Interval": 5,
            "Timeout": 2,
            "UnhealthyThreshold": 2,
            "HealthyThreshold": 2,
        },
    )
    elb.register_instances_with_load_balancer(LoadBalancerName=name, Instances=[{"InstanceId": instance}])

    def in_service() -> bool:
        states = elb.describe_instance_health(LoadBalancerName=name)["InstanceStates"]
        return all(each["State"] == "InService" for each in states)

    bench.wait("that the server is in service", in_service, 300)
    before = bench.wait("an answer of the load balancer", lambda: _status(address), 300)
    for policy, kind, attribute, value in (
        ("key", "PublicKeyPolicyType", "PublicKey", certificate.public),
        ("trust", "BackendServerAuthenticationPolicyType", "PublicKeyPolicyName", "key"),
    ):
        elb.create_load_balancer_policy(
            LoadBalancerName=name,
            PolicyName=policy,
            PolicyTypeName=kind,
            PolicyAttributes=[{"AttributeName": attribute, "AttributeValue": value}],
        )
    elb.set_load_balancer_policies_for_backend_server(LoadBalancerName=name, InstancePort=8443, PolicyNames=["trust"])
    # The change-over may take a moment: five answers in a row are an answer.
    seen: list[int] = []

    def steady() -> bool:
        seen.append(_status(address))
        return len(seen) >= 5 and len(set(seen[-5:])) == 1 and seen[-1] != 0

    bench.wait("five equal answers", steady, 300)
    return decided(seen[-1] == 200, f"without authentication {before}, with the key trusted {seen[-1]}")


def _status(address: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
