"""pebble, issuing against this cloud's Route 53 and S3: the world in which a client of ours will have to work."""

from __future__ import annotations

import json
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from localcloud.acme import CertificateAuthority, Settings

from .acme_client import AcmeClient, challenge, publish, validated

BINDING = ("kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")


def verified(root: str, chain: list[x509.Certificate], directory) -> str:
    """What OpenSSL says of the chain under the root."""
    leaf, rest, trust = (directory / name for name in ("leaf.pem", "chain.pem", "root.pem"))
    leaf.write_bytes(chain[0].public_bytes(Encoding.PEM))
    rest.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain[1:]))
    trust.write_text(root)
    command = ["openssl", "verify", "-CAfile", str(trust), "-untrusted", str(rest), str(leaf)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


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


def test_functions_trust_the_directory_while_the_authority_runs(cloud, authority):
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
