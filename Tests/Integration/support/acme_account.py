"""An account at a certificate authority in the hands of its owner: what `stackcert` itself never asks for."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from localcloud.acme import CertificateAuthority


def deactivate(authority: CertificateAuthority, stored: dict[str, Any]) -> None:
    """RFC 8555, section 7.3.6, with the key of a document that `stackcert` has stored."""
    context = ssl.create_default_context(cafile=str(authority.trust))
    with urllib.request.urlopen(authority.directory, timeout=10, context=context) as answer:
        directory = json.load(answer)
    with urllib.request.urlopen(directory["newNonce"], timeout=10, context=context) as answer:
        nonce = answer.headers["Replay-Nonce"]
    header = {"alg": "ES256", "kid": stored["url"], "nonce": nonce, "url": stored["url"]}
    protected, payload = _encoded(json.dumps(header)), _encoded(json.dumps({"status": "deactivated"}))
    signature = _signature(json.loads(stored["key"]), f"{protected}.{payload}".encode())
    body = json.dumps({"protected": protected, "payload": payload, "signature": signature}).encode()
    request = urllib.request.Request(stored["url"], body, {"Content-Type": "application/jose+json"})
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        assert json.load(answer)["status"] == "deactivated"


def _encoded(data: str | bytes) -> str:
    return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).rstrip(b"=").decode()


def _signature(jwk: dict[str, str], signed: bytes) -> str:
    key = ec.derive_private_key(int.from_bytes(base64.urlsafe_b64decode(jwk["d"] + "==")), ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return _encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
