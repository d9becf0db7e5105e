"""The service role of application stacks: without any one of its actions the templates' resources cannot be made,
changed or deleted, through real stacks in the cloud; with all of them nothing is refused, and nothing more is let
through."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from localcloud.authz import context
from support import documents, policies
from support.renewal import deployer
from support.surroundings import self_signed, surroundings

HOLDER = "DeployerPolicy"
# Statements that are for one template's resources only; all others are needed for automated.yml.
FAMILIES = {"KeepListeners": "letsencrypt", "KeepWebsites": "website", "KeepDistributions": "website"}
ACTIONS = policies.actions(HOLDER, "Allow")
WIDENINGS = policies.widenings(HOLDER)
_IMAGE = "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2"
_BOOT = "#!/bin/bash\n/opt/aws/bin/cfn-signal --stack ${AWS::StackName} --resource Servers --region ${AWS::Region}\n"


def _replaced(node: Any, old: Any, new: Any) -> Any:
    if node == old:
        return new
    if isinstance(node, dict):
        return {key: _replaced(value, old, new) for key, value in node.items()}
    return [_replaced(item, old, new) for item in node] if isinstance(node, list) else node


def _light(family: str) -> dict[str, Any]:
    """The template, with servers that only signal, and without Let's Encrypt: that is for other tests."""
    template = documents.read(family)
    resources = template["Resources"]
    if "ServerTemplate" in resources:
        data = resources["ServerTemplate"]["Properties"]["LaunchTemplateData"]
        # Something that follows from each update, so that servers are replaced.
        text = {"Fn::Sub": [_BOOT + "# ${Bundle}\n", {"Bundle": {"Ref": "CertificateRotation"}}]}
        data["UserData"] = {"Fn::Base64": text}
    if family != "automated":
        del resources["Certificate"]
        template["Outputs"] = {}
        template["Parameters"]["Given"] = {"Type": "String"}
        template = _replaced(template, {"Fn::GetAtt": "Certificate.CertificateArn"}, {"Ref": "Given"})
        template = _replaced(template, {"Fn::GetAtt": ["Certificate", "CertificateArn"]}, {"Ref": "Given"})
    else:
        # As stacks may have them: the newest image, and a rotation that is kept in Parameter Store.
        for name in ("ImageId", "CertificateRotation"):
            template["Parameters"][name] = {"Type": "AWS::SSM::Parameter::Value<String>"}
    return template


def _edited(template: dict[str, Any]) -> dict[str, Any]:
    """What somebody may change later: ports, listeners, health checks."""
    changed = copy.deepcopy(template)
    resources = changed["Resources"]
    if "LoadBalancerSecurityGroup" in resources:
        properties = resources["LoadBalancerSecurityGroup"]["Properties"]
        properties["SecurityGroupIngress"][0]["CidrIp"] = "192.0.2.0/24"
    if "TargetGroup" in resources:
        resources["TargetGroup"]["Properties"]["HealthCheckPath"] = "/"
    if "DomainRecord" in resources and "TTL" in resources["DomainRecord"]["Properties"]:
        properties = resources["LoadBalancer"]["Properties"]
        properties["Listeners"] = [{**properties["Listeners"][0], "LoadBalancerPort": "8443"}]
    return changed


class Family:
    """One template, and what its stacks are given."""

    def __init__(self, name: str, first: dict[str, str], second: dict[str, str]):
        self.name, self.first, self.second = name, first, second
        self.template = _light(name)


@pytest.fixture(scope="module")
def families(cloud, provider) -> dict[str, Family]:
    around = surroundings(cloud, "deployer.example.com")
    for value in ("1", "2"):
        cloud.client("ssm").put_parameter(Name=f"/stackcert/rotation/deployer-{value}", Value=value, Type="String")
    given = {
        "Domain": "deployer.example.com",
        "SSLCertificate": around.certificate_arn,
        "Route53HostedZoneId": around.zone_id,
        "CertificateBucket": provider.bucket,
        "CreateElbBackendCertificatesArn": provider.arn,
        "ImageId": _IMAGE,
    }
    subnets = cloud.client("ec2").describe_subnets()["Subnets"]
    front = {"Domain": "deployer.example.com", "HostedZoneId": around.zone_id, "Contact": "a@example.com"}
    network = {
        "VpcId": subnets[0]["VpcId"],
        "Subnets": ",".join(subnet["SubnetId"] for subnet in subnets[:2]),
        "ImageId": cloud.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
    }
    made = {region: [] for region in (cloud.region, "us-east-1")}
    for region, found in made.items():
        for _ in range(2):
            certificate, key = self_signed("deployer.example.com")
            imported = cloud.client("acm", region=region).import_certificate(Certificate=certificate, PrivateKey=key)
            found.append(imported["CertificateArn"])
    here, there = made[cloud.region], made["us-east-1"]
    return {
        "automated": Family(
            "automated",
            {**given, "CertificateRotation": "/stackcert/rotation/deployer-1"},
            {"CertificateRotation": "/stackcert/rotation/deployer-2", "Rollout": "reload"},
        ),
        "letsencrypt": Family(
            "letsencrypt", {**front, **network, "Given": here[0]}, {"Given": here[1], "CertificateRotation": "2"}
        ),
        "website": Family("website", {**front, "Given": there[0]}, {"Given": there[1]}),
    }


@pytest.fixture(scope="module")
def in_force(cloud, provider):
    deployer(cloud)
    return policies.InForce(provider, "deployer")


def scenario(cloud, family: Family, name: str) -> str | None:
    """A stack is made, changed and deleted: what went wrong, or None."""
    role = deployer(cloud)
    try:
        made = cloud.stacks.create(name, json.dumps(family.template), family.first, RoleARN=role)
    except cloud.client("cloudformation").exceptions.ClientError as error:
        # Parameters are looked up before anything is made.
        return f"not begun: {error}"
    if made.status != "CREATE_COMPLETE":
        return f"not created: {made.reasons()}"
    changed = cloud.stacks.update(name, json.dumps(_edited(family.template)), family.second, RoleARN=role)
    if changed.status != "UPDATE_COMPLETE":
        return f"not changed: {changed.reasons()}"
    if cloud.recorder.denied("DeployerRole"):
        return f"refused: {cloud.recorder.denied('DeployerRole')[0].action}"
    deleted = cloud.stacks.delete(name)
    return None if deleted.status == "DELETE_COMPLETE" else f"not deleted: {deleted.reasons()}"


def cleaned(cloud, name: str) -> None:
    """With all of the policy in force again."""
    if cloud.stacks.exists(name):
        cloud.stacks.wait(name)
        assert cloud.stacks.delete(name).status == "DELETE_COMPLETE"


@pytest.mark.parametrize("family", ["automated", "letsencrypt", "website"])
def test_the_whole_policy_is_enough(cloud, families, in_force, name, family):
    assert scenario(cloud, families[family], name) is None
    assert cloud.recorder.denied("DeployerRole") == []


@pytest.mark.parametrize("part", ACTIONS, ids=str)
def test_no_action_can_be_spared(cloud, families, in_force, name, part):
    with in_force.changed(part):
        wrong = scenario(cloud, families[FAMILIES.get(part.sid, "automated")], name)
    cleaned(cloud, name)
    assert wrong is not None, f"{part} makes no difference"
    assert part.name in wrong or part.name in {decision.action for decision in cloud.recorder.denied("DeployerRole")}


# What each part keeps out: an action, a resource, the keys of a condition.
ROLE, OTHER_ROLE = "arn:aws:iam::{account}:role/stackcert-app/server", "arn:aws:iam::{account}:role/administrator"
SERVICES = "arn:aws:iam::{account}:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"
BEYOND: dict[tuple[str, str], tuple[str, str, dict[str, str]]] = {
    ("AskProviders", "0"): ("lambda:InvokeFunction", "arn:aws:lambda:{region}:{account}:function:payments", {}),
    ("KeepParameters", "0"): ("ssm:PutParameter", "arn:aws:ssm:{region}:{account}:parameter/payments/address", {}),
    ("LookUpImages", "0"): ("ssm:GetParameters", "arn:aws:ssm:{region}:{account}:parameter/payments/password", {}),
    ("KeepServersRoles", "0"): ("iam:PutRolePolicy", OTHER_ROLE, {}),
    ("GiveRolesToServers", "0"): ("iam:PassRole", OTHER_ROLE, {"iam:passedtoservice": "ec2.amazonaws.com"}),
    ("GiveRolesToServers", "StringEquals iam:PassedToService"): (
        "iam:PassRole",
        ROLE,
        {"iam:passedtoservice": "lambda.amazonaws.com"},
    ),
    ("BeginWithAServicesRole", "0"): ("iam:CreateServiceLinkedRole", SERVICES, {}),
    ("BeginWithAServicesRole", "1"): ("iam:CreateServiceLinkedRole", SERVICES, {}),
    ("KeepRecords", "0"): ("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/ZOTHER", {}),
    ("KeepWebsites", "0"): ("s3:PutBucketPolicy", "arn:aws:s3:::{bucket}", {}),
}


@pytest.fixture(scope="module")
def narrow(cloud, provider):
    """A role for one provider and one zone."""
    given = {"ProviderArns": provider.arn, "HostedZoneArns": "arn:aws:route53:::hostedzone/ZOWN"}
    made = cloud.stacks.create("narrow", documents.published("deployer-role"), given)
    assert made.status == "CREATE_COMPLETE", made.reasons()
    yield made.outputs["RoleArn"]
    assert cloud.stacks.delete("narrow").status == "DELETE_COMPLETE"


def allows(provider, role: str, action: str, resource: str, keys: dict[str, str]) -> bool:
    cloud = provider.cloud
    for word, value in {"account": cloud.account, "region": cloud.region, "bucket": provider.bucket}.items():
        resource = resource.replace("{" + word + "}", value)
    principal = cloud.session(role).principal
    given = {**context.of_principal(principal), "aws:securetransport": "true", **keys}
    return cloud.authorizer.check(principal, action, resource, given).allowed


@pytest.mark.parametrize("part", WIDENINGS, ids=str)
def test_each_part_keeps_something_out(provider, narrow, part):
    request = BEYOND[(part.sid, part.name)]
    assert not allows(provider, narrow, *request)
    with policies.InForce(provider, "narrow").changed(part):
        assert allows(provider, narrow, *request)


@pytest.mark.parametrize(
    ("function", "asked"),
    [
        ("stackcert-backend-certificate", True),
        ("stackcert-lets-encrypt-certificate", True),
        ("stackcert-stack-renewal", False),
    ],
)
def test_any_provider_is_asked_and_no_other_function(cloud, provider, in_force, function, asked):
    resource = f"arn:aws:lambda:{{region}}:{{account}}:function:{function}"
    assert allows(provider, deployer(cloud), "lambda:InvokeFunction", resource, {}) is asked
