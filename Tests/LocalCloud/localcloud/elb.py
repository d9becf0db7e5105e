"""The Classic Load Balancer's part of a handshake: which servers it trusts, judged as it does, by public key alone."""

from __future__ import annotations

import base64
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass
class Verdict:
    """What a handshake with one server showed. `public_key` is its SubjectPublicKeyInfo in base64, on one line."""

    trusted: bool
    public_key: str
    certificate_pem: str
    reason: str


class BackendChecker:
    """Speaks to servers as a Classic Load Balancer does whose policies are read through the API."""

    def __init__(self, client: Any, load_balancer: str):
        self._client = client
        self._load_balancer = load_balancer

    def trusted_keys(self, instance_port: int = 8443) -> list[str] | None:
        """The base64 public keys that the port's backend authentication policies name; None without such a policy."""
        described = self._client.describe_load_balancers(LoadBalancerNames=[self._load_balancer])
        servers = described["LoadBalancerDescriptions"][0].get("BackendServerDescriptions", [])
        attached = [name for s in servers if s["InstancePort"] == instance_port for name in s["PolicyNames"]]
        policies = self._client.describe_load_balancer_policies(LoadBalancerName=self._load_balancer)
        by_name = {policy["PolicyName"]: policy for policy in policies["PolicyDescriptions"]}
        authentication = [
            by_name[name]
            for name in attached
            if by_name[name]["PolicyTypeName"] == "BackendServerAuthenticationPolicyType"
        ]
        if not authentication:
            return None
        keys = []
        for policy in authentication:
            for attribute in policy["PolicyAttributeDescriptions"]:
                if attribute["AttributeName"] == "PublicKeyPolicyName":
                    keys += [
                        a["AttributeValue"]
                        for a in by_name[attribute["AttributeValue"]]["PolicyAttributeDescriptions"]
                        if a["AttributeName"] == "PublicKey"
                    ]
        return keys

    def check(self, port: int, instance_port: int = 8443, host: str = "127.0.0.1", timeout: float = 5) -> Verdict:
        """Handshake with the server at `port`, which stands for the instance's `instance_port`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection((host, port), timeout) as connection,
            context.wrap_socket(connection) as secured,
        ):
            encoded = secured.getpeercert(binary_form=True)
        certificate = x509.load_der_x509_certificate(encoded or b"")
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        text = base64.b64encode(key).decode()
        trusted = self.trusted_keys(instance_port)
        pem = certificate.public_bytes(Encoding.PEM).decode()
        if trusted is None:
            return Verdict(True, text, pem, f"no backend authentication policy on port {instance_port}")
        if text in trusted:
            return Verdict(True, text, pem, "its public key is one of the policies'")
        return Verdict(False, text, pem, "its public key is in no PublicKey policy of the load balancer")

    def get(self, port: int, path: str = "/", timeout: float = 5) -> tuple[int, str]:
        """An HTTPS request to a server that `check` trusts: status and body. ConnectionError when it is not trusted."""
        import http.client

        verdict = self.check(port, timeout=timeout)
        if not verdict.trusted:
            raise ConnectionError(verdict.reason)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=context)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body
