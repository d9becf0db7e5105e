"""An ACME client as small as it can be, for tests of what stands around pebble. RFC 8555 in the order of its use."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding

from localcloud import LocalCloud

BINDING = ("kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")
"""An external account: key id and base64url HMAC key."""


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class AcmeClient:
    """One account. It does not retry: what the server says is what the test sees."""

    def __init__(self, directory: str, trust: str):
        self._context = ssl.create_default_context(cafile=trust)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.account = ""
        self.directory = self.get(directory).json

    def get(self, url: str, method: str = "GET") -> Reply:
        return self._send(urllib.request.Request(url, method=method))

    def _send(self, request: urllib.request.Request) -> Reply:
        try:
            with urllib.request.urlopen(request, timeout=20, context=self._context) as answer:
                return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())

    @property
    def _jwk(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        x, y = (encoded(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    def _jws(self, protected: dict[str, Any], payload: bytes) -> dict[str, str]:
        head, body = encoded(_compact(protected)), encoded(payload)
        der = self._key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return {"protected": head, "payload": body, "signature": encoded(signature)}

    def post(self, url: str, payload: Any = None) -> Reply:
        """A signed POST; without a payload a POST-as-GET."""
        nonce = self.get(self.directory["newNonce"], "HEAD").headers["replay-nonce"]
        who = {"kid": self.account} if self.account else {"jwk": self._jwk}
        protected = {"alg": "ES256", "nonce": nonce, "url": url, **who}
        body = _compact(self._jws(protected, b"" if payload is None else _compact(payload)))
        return self._send(urllib.request.Request(url, body, {"Content-Type": "application/jose+json"}))

    def register(self, binding: tuple[str, str] | None = None) -> Reply:
        """Makes the account; `binding` is an external account's key id and base64url HMAC key."""
        payload: dict[str, Any] = {"termsOfServiceAgreed": True, "contact": ["mailto:ops@example.com"]}
        if binding:
            url = self.directory["newAccount"]
            head = encoded(_compact({"alg": "HS256", "kid": binding[0], "url": url}))
            body = encoded(_compact(self._jwk))
            key = base64.urlsafe_b64decode(binding[1] + "==")
            mac = hmac.digest(key, f"{head}.{body}".encode(), "sha256")
            payload["externalAccountBinding"] = {"protected": head, "payload": body, "signature": encoded(mac)}
        reply = self.post(self.directory["newAccount"], payload)
        self.account = reply.headers.get("location", "")
        return reply

    def order(self, *names: str, **more: Any) -> Reply:
        return self.post(
            self.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name} for name in names], **more}
        )

    def authorizations(self, order: Reply) -> list[dict[str, Any]]:
        return [self.post(url).json for url in order.json["authorizations"]]

    def key_authorization(self, token: str) -> str:
        return f"{token}.{encoded(hashlib.sha256(_compact(self._jwk)).digest())}"

    def txt_value(self, token: str) -> str:
        return encoded(hashlib.sha256(self.key_authorization(token).encode()).digest())

    def settled(self, url: str, *passing: str, seconds: float = 20) -> Reply:
        """The object once its status is none of the `passing` ones."""
        limit = time.monotonic() + seconds
        while (reply := self.post(url)).json["status"] in passing:
            if time.monotonic() > limit:
                raise TimeoutError(f"{url} is still {reply.json['status']}")
            time.sleep(0.02)
        return reply

    def finish(self, order: Reply, *names: str) -> list[x509.Certificate]:
        """Finalizes an order whose authorizations are valid, with a new key: the chain, leaf first."""
        subject = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(subject, False)
        csr = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        reply = self.post(order.json["finalize"], {"csr": encoded(csr.public_bytes(Encoding.DER))})
        assert reply.status == 200, reply.body
        done = self.settled(order.headers["location"], "processing").json
        return x509.load_pem_x509_certificates(self.post(done["certificate"]).body)


def challenge(authorization: dict, kind: str) -> dict:
    return next(each for each in authorization["challenges"] if each["type"] == kind)


def publish(cloud: LocalCloud, zone: str, client: AcmeClient, authorizations: list[dict]) -> None:
    """One multivalue TXT record for each value."""
    changes = []
    for authorization in authorizations:
        value = client.txt_value(challenge(authorization, "dns-01")["token"])
        record = {
            "Name": f"_acme-challenge.{authorization['identifier']['value']}",
            "Type": "TXT",
            "TTL": 10,
            "SetIdentifier": value,
            "MultiValueAnswer": True,
            "ResourceRecords": [{"Value": f'"{value}"'}],
        }
        changes.append({"Action": "UPSERT", "ResourceRecordSet": record})
    cloud.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def validated(client: AcmeClient, order: Reply, kind: str) -> set[str]:
    """Starts the challenges and waits: the statuses that the authorizations come to."""
    for authorization in client.authorizations(order):
        assert client.post(challenge(authorization, kind)["url"], {}).status == 200
    return {client.settled(url, "pending").json["status"] for url in order.json["authorizations"]}


def verified(root: str, chain: list[x509.Certificate], directory) -> str:
    """What OpenSSL says of the chain under the root."""
    leaf, rest, trust = (directory / name for name in ("leaf.pem", "chain.pem", "root.pem"))
    leaf.write_bytes(chain[0].public_bytes(Encoding.PEM))
    rest.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain[1:]))
    trust.write_text(root)
    command = ["openssl", "verify", "-CAfile", str(trust), "-untrusted", str(rest), str(leaf)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()
