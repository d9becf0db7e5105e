"""What clients see while CloudFormation replaces the only server behind a Classic Load Balancer."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

from on_aws.bench import Bench, Inconclusive
from on_aws.claims import Seen, claim, decided
from on_aws.probes.change_sets import words

SERVICE = "Rolling updates"

_IMAGE = "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}"
# It signals as soon as it answers itself, as the templates' servers do.
_BOOT = """#!/bin/bash
# ${Word}
mkdir /site && cd /site && echo proof >index.html
python3 -m http.server 8080 >/dev/null 2>&1 &
until curl --silent --fail http://127.0.0.1:8080/ >/dev/null; do sleep 1; done
/opt/aws/bin/cfn-signal --stack ${AWS::StackName} --resource Servers --region ${AWS::Region}
"""


def template(vpc: str, network: str, subnets: list[str], draining: int) -> dict[str, Any]:
    def opened(port: int, source: str) -> dict[str, Any]:
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": source}

    group = {
        "GroupDescription": "stackcert-proof",
        "VpcId": vpc,
        "SecurityGroupIngress": [opened(80, "0.0.0.0/0"), opened(8080, network)],
    }
    balancer = {
        "Subnets": subnets,
        "SecurityGroups": [{"Fn::GetAtt": "Group.GroupId"}],
        "Listeners": [
            {"Protocol": "HTTP", "LoadBalancerPort": "80", "InstanceProtocol": "HTTP", "InstancePort": "8080"}
        ],
        "HealthCheck": {
            "Target": "HTTP:8080/",
            "Interval": "10",
            "Timeout": "5",
            "HealthyThreshold": "2",
            "UnhealthyThreshold": "2",
        },
        **({"ConnectionDrainingPolicy": {"Enabled": True, "Timeout": draining}} if draining else {}),
    }
    launch = {
        "ImageId": _IMAGE,
        "InstanceType": "t3.micro",
        "SecurityGroupIds": [{"Fn::GetAtt": "Group.GroupId"}],
        "UserData": {"Fn::Base64": {"Fn::Sub": _BOOT}},
    }
    servers = {
        "Type": "AWS::AutoScaling::AutoScalingGroup",
        "CreationPolicy": {"ResourceSignal": {"Count": 1, "Timeout": "PT10M"}},
        "UpdatePolicy": {
            "AutoScalingRollingUpdate": {
                "MinInstancesInService": 1,
                "MaxBatchSize": 1,
                "WaitOnResourceSignals": True,
                "PauseTime": "PT10M",
            }
        },
        "Properties": {
            "MinSize": "1",
            "MaxSize": "2",
            "VPCZoneIdentifier": subnets,
            "LoadBalancerNames": [{"Ref": "Balancer"}],
            "LaunchTemplate": {
                "LaunchTemplateId": {"Ref": "Launch"},
                "Version": {"Fn::GetAtt": "Launch.LatestVersionNumber"},
            },
        },
    }
    return {
        "Parameters": {"Word": {"Type": "String", "Default": "1"}},
        "Resources": {
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
            "Balancer": {"Type": "AWS::ElasticLoadBalancing::LoadBalancer", "Properties": balancer},
            "Launch": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": launch}},
            "Servers": servers,
        },
        "Outputs": {"Address": {"Value": {"Fn::GetAtt": "Balancer.DNSName"}}},
    }


def _status(address: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _refusals(bench: Bench, draining: int) -> Seen:
    """Updates the group while somebody asks four times a second."""
    ec2, cloudformation = bench.client("ec2"), bench.client("cloudformation")
    found = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    if len(found) < 2:
        raise Inconclusive("there is no default VPC with two subnets in this region")
    network = ec2.describe_vpcs(VpcIds=[found[0]["VpcId"]])["Vpcs"][0]["CidrBlock"]
    subnets = [each["SubnetId"] for each in found[:2]]
    stack = bench.stack(template(found[0]["VpcId"], network, subnets, draining))
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    address = described["Outputs"][0]["OutputValue"]
    bench.wait("an answer of the first server", lambda: _status(address) == 200, 600)
    answers: Counter[int] = Counter()
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.25):
            answers[_status(address)] += 1

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    began = time.monotonic()
    try:
        cloudformation.update_stack(StackName=stack, UsePreviousTemplate=True, Parameters=words("2"))
        status = bench.settled(stack, 1800)
        # The new server may be called in service only after the update.
        bench.wait("an answer of the new server", lambda: _status(address) == 200, 300)
    finally:
        ended.set()
        asking.join(30)
    if status != "UPDATE_COMPLETE":
        raise Inconclusive(f"the update ended as {status}: {bench.reasons(stack)}")
    shown = ", ".join(f"{count} times {code or 'no answer'}" for code, count in sorted(answers.items()))
    return decided(set(answers) == {200}, f"in {time.monotonic() - began:.0f} s: {shown}")


_NO_CHECKS = "the local cloud's load balancers have no health checks"


@claim(
    "rolling-drops-nothing",
    "A rolling update behind a Classic Load Balancer drops no request when servers signal once they answer themselves.",
    not_local=_NO_CHECKS,
)
def drops_nothing(bench: Bench) -> Seen:
    return _refusals(bench, draining=0)


@claim(
    "rolling-drops-nothing-with-draining",
    "Such a rolling update drops no request when connections are drained for a minute as well.",
    not_local=_NO_CHECKS,
)
def drops_nothing_with_draining(bench: Bench) -> Seen:
    return _refusals(bench, draining=60)
