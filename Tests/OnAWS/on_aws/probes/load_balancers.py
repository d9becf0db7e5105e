"""The Classic Load Balancer's policies, and its fronts."""

from __future__ import annotations

from on_aws.bench import Bench, outcome
from on_aws.certificate import Certificate
from on_aws.claims import Seen, claim, decided

SERVICE = "Classic Load Balancer"


def load_balancer(bench: Bench) -> str:
    """One without servers. It has no name of more than 32 characters."""

    def make() -> str:
        elb, name = bench.client("elb"), f"proof-{bench.run}"
        bench.undo(f"load balancer {name}", lambda: elb.delete_load_balancer(LoadBalancerName=name))
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTPS", "InstancePort": 8443}
        elb.create_load_balancer(
            LoadBalancerName=name,
            Listeners=[listener],
            Scheme="internal",
            Tags=bench.tags,
            AvailabilityZones=[_zone(bench)],
        )
        return name

    return bench.shared("load balancer", make)


def _zone(bench: Bench) -> str:
    found = bench.client("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    return found[0]["AvailabilityZone"] if found else f"{bench.place.region}a"


def _public_key(bench: Bench, name: str, certificate: Certificate) -> tuple[int, str]:
    return outcome(
        bench.client("elb").create_load_balancer_policy,
        LoadBalancerName=load_balancer(bench),
        PolicyName=name,
        PolicyTypeName="PublicKeyPolicyType",
        PolicyAttributes=[{"AttributeName": "PublicKey", "AttributeValue": certificate.public}],
    )


def _trusting(bench: Bench, name: str, keys: list[str]) -> tuple[int, str]:
    return outcome(
        bench.client("elb").create_load_balancer_policy,
        LoadBalancerName=load_balancer(bench),
        PolicyName=name,
        PolicyTypeName="BackendServerAuthenticationPolicyType",
        PolicyAttributes=[{"AttributeName": "PublicKeyPolicyName", "AttributeValue": key} for key in keys],
    )


def _used(bench: Bench, names: list[str]) -> tuple[int, str]:
    return outcome(
        bench.client("elb").set_load_balancer_policies_for_backend_server,
        LoadBalancerName=load_balancer(bench),
        InstancePort=8443,
        PolicyNames=names,
    )


@claim("elb-ec-key-policy", "The Classic Load Balancer takes an EC P-256 key into a PublicKeyPolicyType.")
def ec_key_policy(bench: Bench) -> Seen:
    seen = _public_key(bench, "elliptic", Certificate("proof.example.com", elliptic=True))
    return decided(seen[0] == 200, seen)


@claim("elb-two-keys", "A BackendServerAuthenticationPolicyType takes the policies of two different keys.")
def two_keys(bench: Bench) -> Seen:
    for name in ("first", "second"):
        _public_key(bench, name, Certificate("proof.example.com", elliptic=False))
    made = _trusting(bench, "trusts-two", ["first", "second"])
    used = _used(bench, ["trusts-two"])
    return decided(made[0] == 200 and used[0] == 200, f"made {made}, used {used}")


@claim("elb-one-key-twice", "Two PublicKeyPolicyType policies of one key can be trusted together.")
def one_key_twice(bench: Bench) -> Seen:
    certificate = Certificate("proof.example.com", elliptic=False)
    made = [_public_key(bench, name, certificate) for name in ("same", "same-again")]
    trusted = _trusting(bench, "trusts-same", ["same", "same-again"])
    used = _used(bench, ["trusts-same"])
    return decided(
        all(each[0] == 200 for each in (*made, trusted, used)), f"made {made}, trusted {trusted}, used {used}"
    )


@claim("elb-policy-in-use", "DeleteLoadBalancerPolicy is refused while a back end uses the policy.")
def policy_in_use(bench: Bench) -> Seen:
    _public_key(bench, "used", Certificate("proof.example.com", elliptic=False))
    _trusting(bench, "trusts-used", ["used"])
    _used(bench, ["trusts-used"])
    seen = outcome(
        bench.client("elb").delete_load_balancer_policy, LoadBalancerName=load_balancer(bench), PolicyName="trusts-used"
    )
    return decided(seen[0] == 400, seen)


@claim("elb-ec-front", "An HTTPS listener of a Classic Load Balancer takes an EC P-256 server certificate of IAM.")
def ec_front(bench: Bench) -> Seen:
    certificate, iam, name = Certificate("proof.example.com", elliptic=True), bench.client("iam"), bench.name("front")
    balancer = load_balancer(bench)
    remove = iam.delete_server_certificate
    bench.undo(
        f"server certificate {name}",
        lambda: bench.remove_when_free("the certificate", remove, "DeleteConflict", ServerCertificateName=name),
    )
    made = iam.upload_server_certificate(
        ServerCertificateName=name, CertificateBody=certificate.pem, PrivateKey=certificate.key, Tags=bench.tags
    )
    arn = made["ServerCertificateMetadata"]["Arn"]
    bench.undo(
        "listener 443",
        lambda: bench.client("elb").delete_load_balancer_listeners(LoadBalancerName=balancer, LoadBalancerPorts=[443]),
    )
    listener = {
        "Protocol": "HTTPS",
        "LoadBalancerPort": 443,
        "InstanceProtocol": "HTTP",
        "InstancePort": 8080,
        "SSLCertificateId": arn,
    }

    def listening() -> tuple[int, str] | None:
        seen = outcome(
            bench.client("elb").create_load_balancer_listeners, LoadBalancerName=balancer, Listeners=[listener]
        )
        # A new server certificate stays invisible for a while.
        return None if seen[1] == "CertificateNotFound" else seen

    seen = bench.wait("that the load balancer sees the certificate", listening, 90)
    return decided(seen[0] == 200, seen)
