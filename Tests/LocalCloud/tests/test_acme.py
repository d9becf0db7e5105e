"""pebble, issuing against this cloud's Route 53 and S3: the world in which a client of ours will have to work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from cryptography import x509

from localcloud import LocalCloud
from localcloud.acme import CertificateAuthority, Settings
from localcloud.fronts import ListenerFront

from .acme_client import BINDING, AcmeClient, challenge, publish, validated, verified
from .certificates import listener


def test_a_name_and_its_wildcard_are_validated_through_route_53(cloud, authority, client, zone, tmp_path):
    order = client.order("example.com", "*.example.com")
    publish(cloud, zone, client, client.authorizations(order))
    assert validated(client, order, "dns-01") == {"valid"}
    chain = client.finish(order, "example.com", "*.example.com")
    names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"example.com", "*.example.com"}
    assert verified(authority.root(), chain, tmp_path).endswith("OK")
    assert authority.pebble.status(chain[0].serial_number)["Status"] == "Valid"
    # The judge can say no.
    assert "error" in verified(authority.trust.read_text(), chain, tmp_path)


def test_without_its_record_a_name_is_not_validated(cloud, authority, client, zone):
    order = client.order("missing.example.com")
    assert validated(client, order, "dns-01") == {"invalid"}
    assert ("TXT", "_acme-challenge.missing.example.com") in authority.dns.queries


def test_a_website_bucket_answers_for_its_name(cloud, authority, client, zone):
    s3, name = cloud.client("s3"), "www.example.com"
    s3.create_bucket(Bucket=name)
    alias = {
        "HostedZoneId": "Z3AQBSTGFYJSTF",
        "DNSName": "s3-website-us-east-1.amazonaws.com",
        "EvaluateTargetHealth": False,
    }
    record = {"Name": name, "Type": "A", "AliasTarget": alias}
    cloud.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )

    def attempt() -> set[str]:
        order = client.order(name)
        token = challenge(client.authorizations(order)[0], "http-01")["token"]
        key = f".well-known/acme-challenge/{token}"
        s3.put_object(Bucket=name, Key=key, Body=client.key_authorization(token).encode(), ContentType="text/plain")
        return validated(client, order, "http-01")

    assert attempt() == {"invalid"}
    s3.put_bucket_website(Bucket=name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    # A website whose objects nobody may read is of no use either.
    assert attempt() == {"invalid"}
    s3.delete_public_access_block(Bucket=name)
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/.well-known/*",
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert attempt() == {"valid"}
    assert authority.website.requests[-1][0] == name
    # Another name, with something before the same bucket.
    order = client.order("other.example.com")
    token = challenge(client.authorizations(order)[0], "http-01")["token"]
    body = client.key_authorization(token).encode()
    s3.put_object(Bucket=name, Key=f".well-known/acme-challenge/{token}", Body=body)
    record = {"Name": "other.example.com", "Type": "CNAME", "TTL": 10, "ResourceRecords": [{"Value": name}]}
    cloud.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    authority.website.names["other.example.com"] = name
    assert validated(client, order, "http-01") == {"valid"}


def test_functions_trust_the_directory_while_the_authority_runs(cloud, authority):
    assert cloud.functions.variables == {"SSL_CERT_FILE": str(authority.trust)}
    with CertificateAuthority(cloud) as other:
        assert cloud.functions.variables == {"SSL_CERT_FILE": str(other.trust)}
    assert cloud.functions.variables == {"SSL_CERT_FILE": str(authority.trust)}


def test_its_settings_reach_pebble(cloud, zone):
    settings = Settings(
        rejected_nonces=100,
        alternate_roots=1,
        external_accounts=dict([BINDING]),
        blocked_domains=("blocked.test",),
        validity=60,
    )
    with CertificateAuthority(cloud, settings) as other:
        client = AcmeClient(other.directory, str(other.trust))
        refused = client.register(BINDING)
        assert refused.json["type"] == "urn:ietf:params:acme:error:badNonce"
        assert other.root(0) != other.root(1)
    with CertificateAuthority(cloud, Settings(**{**vars(settings), "rejected_nonces": 0})) as other:
        client = AcmeClient(other.directory, str(other.trust))
        assert client.register().json["type"] == "urn:ietf:params:acme:error:externalAccountRequired"
        assert client.register(BINDING).status == 201
        assert client.order("x.blocked.test").json["type"] == "urn:ietf:params:acme:error:rejectedIdentifier"
        order = client.order("short.example.com")
        publish(cloud, zone, client, client.authorizations(order))
        assert validated(client, order, "dns-01") == {"valid"}
        leaf = client.finish(order, "short.example.com")[0]
        assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).total_seconds() <= 60


def certbot(cloud: LocalCloud, authority: CertificateAuthority, directory: Path, *arguments: str) -> str:
    """Runs certbot with the cloud's environment, whatever it says in the end."""
    variables = {
        **cloud.environment_variables(),
        "REQUESTS_CA_BUNDLE": str(authority.trust),
        "PATH": os.environ["PATH"],
    }
    folders = [word for kind in ("config", "work", "logs") for word in (f"--{kind}-dir", str(directory / kind))]
    where = ["--server", authority.directory, "--non-interactive", "--agree-tos", "--email", "ops@example.com"]
    command = [str(Path(sys.executable).with_name("certbot")), *arguments, *where, *folders]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=100, check=False)
    return done.stdout + done.stderr


def test_certbot_gets_a_certificate_that_openssl_accepts_at_a_load_balancer(cloud, authority, zone, tmp_path):
    names = ["-d", "certbot.example.com", "-d", "*.certbot.example.com"]
    authority.shim.requests.clear()
    said = certbot(cloud, authority, tmp_path, "certonly", "--dns-route53", *names)
    live = tmp_path / "config" / "live" / "certbot.example.com"
    assert (live / "fullchain.pem").exists(), said
    chain = x509.load_pem_x509_certificates((live / "fullchain.pem").read_bytes())
    assert verified(authority.root(), chain, tmp_path).endswith("OK")
    assert len(authority.shim.named("newOrder")) == 1
    changes = cloud.recorder.calls_named("route53:ChangeResourceRecordSets")
    assert changes and {call.status for call in changes} == {200}
    listed = cloud.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert "_acme-challenge.certbot.example.com." not in {entry["Name"] for entry in listed}
    arn = cloud.client("acm").import_certificate(
        Certificate=(live / "cert.pem").read_bytes(),
        PrivateKey=(live / "privkey.pem").read_bytes(),
        CertificateChain=(live / "chain.pem").read_bytes(),
    )["CertificateArn"]
    with ListenerFront(cloud, listener(cloud, "certbot", arn)) as front:
        (tmp_path / "root.pem").write_text(authority.root())
        assert "Verify return code: 0 (ok)" in handshake(front.port, "www.certbot.example.com", tmp_path / "root.pem")
        assert "hostname mismatch" in handshake(front.port, "example.org", tmp_path / "root.pem")
        assert "unable to get" in handshake(front.port, "www.certbot.example.com", authority.trust)


def handshake(port: int, name: str, trust: Path) -> str:
    """What `openssl s_client` says of a server."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-verify_hostname", name]
    command += ["-CAfile", str(trust), "-no-CApath", "-no-CAstore"]
    return subprocess.run(command, input="", capture_output=True, text=True, timeout=20, check=False).stdout
