"""AWS Signature Version 4, verified: in the Authorization header and in presigned addresses."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from urllib.parse import quote, unquote

from localcloud.authz.principals import ANONYMOUS, Credentials, Principal, Principals
from localcloud.errors import AwsError
from localcloud.gateway.call import Call

_UNSIGNED = "UNSIGNED-PAYLOAD"
_ALGORITHM = "AWS4-HMAC-SHA256"
_SKEW = 15 * 60


@dataclass(frozen=True)
class Claim:
    """What a request says about its own signature."""

    access_key_id: str
    day: str
    region: str
    service: str
    signed_headers: list[str]
    signature: str
    date: str
    token: str | None
    presigned_for: int | None


def claim_of(call: Call) -> Claim | None:
    """The signature's parts, or None for an anonymous request."""
    header = call.header("authorization")
    if header and header.startswith(_ALGORITHM):
        parts = dict(part.strip().split("=", 1) for part in header[len(_ALGORITHM) :].split(",") if "=" in part)
        token, date, lifetime = call.header("x-amz-security-token"), call.header("x-amz-date"), None
    elif "X-Amz-Signature" in call.query:
        parts = {name: call.query.get(f"X-Amz-{name}", "") for name in ("Credential", "SignedHeaders", "Signature")}
        token, date = call.query.get("X-Amz-Security-Token"), call.query.get("X-Amz-Date")
        lifetime = int(call.query.get("X-Amz-Expires", "0"))
    elif header:
        raise AwsError("InvalidRequest", "Only AWS4-HMAC-SHA256 signatures are accepted.", 400)
    else:
        return None
    scope = parts.get("Credential", "").split("/")
    if len(scope) != 5 or scope[4] != "aws4_request" or not date or not re.fullmatch(r"\d{8}T\d{6}Z", date):
        raise AwsError("AuthorizationHeaderMalformed", "The authorization header is malformed.", 400)
    names = parts.get("SignedHeaders", "").split(";")
    return Claim(scope[0], scope[1], scope[2], scope[3], names, parts.get("Signature", ""), date, token, lifetime)


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _canonical_path(call: Call, service: str) -> str:
    segments = [_encoded(unquote(segment)) for segment in call.path.split("/")]
    if service == "s3":
        return "/".join(segments)
    # Every service but S3 removes dot segments and empty ones, and encodes the encoded path once more.
    kept: list[str] = []
    for segment in call.path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    path = "/" + "/".join(kept)
    if call.path.endswith("/") and path != "/":
        path += "/"
    return quote(path, safe="/-_.~")


def _canonical_query(call: Call) -> str:
    pairs = []
    for part in call.query_string.split("&") if call.query_string else []:
        name, _, value = part.partition("=")
        if name != "X-Amz-Signature":
            pairs.append((_encoded(unquote(name)), _encoded(unquote(value))))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _canonical_headers(call: Call, names: list[str]) -> str:
    lines = []
    for name in names:
        values = [" ".join(value.split()) for key, value in call.headers if key.lower() == name]
        lines.append(f"{name}:{','.join(values)}\n")
    return "".join(lines)


def _payload_hash(call: Call, claim: Claim) -> str:
    declared = call.header("x-amz-content-sha256")
    actual = hashlib.sha256(call.body).hexdigest()
    if declared is None:
        return _UNSIGNED if claim.presigned_for is not None and claim.service == "s3" else actual
    if re.fullmatch(r"[0-9a-f]{64}", declared) and declared != actual:
        raise AwsError("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match.", 400)
    return declared


def _expected(call: Call, claim: Claim, secret: str) -> str:
    canonical = "\n".join(
        [
            call.method,
            _canonical_path(call, claim.service),
            _canonical_query(call),
            _canonical_headers(call, claim.signed_headers),
            ";".join(claim.signed_headers),
            _payload_hash(call, claim),
        ]
    )
    scope = f"{claim.day}/{claim.region}/{claim.service}/aws4_request"
    text = "\n".join([_ALGORITHM, claim.date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for part in (claim.day, claim.region, claim.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _check_time(claim: Claim) -> None:
    signed_at = calendar.timegm(time.strptime(claim.date, "%Y%m%dT%H%M%SZ"))
    if not claim.date.startswith(claim.day):
        raise AwsError("SignatureDoesNotMatch", "The credential's date is not the request's.", 403)
    if claim.presigned_for is not None:
        if not signed_at - _SKEW <= time.time() <= signed_at + claim.presigned_for:
            raise AwsError("AccessDenied", "Request has expired", 403)
    elif abs(time.time() - signed_at) > _SKEW:
        raise AwsError("RequestTimeTooSkewed", "The difference between the request time and now is too large.", 403)


def _check_signed_headers(call: Call, claim: Claim) -> None:
    """The host and every x-amz- header must be under the signature, else they could be changed on the way."""
    sent = {key.lower() for key, _ in call.headers}
    required = {"host"} | {name for name in sent if name.startswith("x-amz-")}
    if missing := required - set(claim.signed_headers):
        raise AwsError("AccessDenied", f"There were headers present which were not signed: {sorted(missing)}", 403)


def authenticate(call: Call, claim: Claim | None, principals: Principals) -> Principal:
    """The principal whose signature the request bears; AwsError when the signature, key, token or time is wrong."""
    if claim is None:
        return ANONYMOUS
    credentials: Credentials | None = principals.find(claim.access_key_id)
    invalid = "InvalidAccessKeyId" if claim.service == "s3" else "InvalidClientTokenId"
    if credentials is None:
        raise AwsError(invalid, "The security token included in the request is invalid.", 403)
    if (credentials.session_token or None) != (claim.token or None):
        code = "InvalidToken" if claim.service == "s3" else "InvalidClientTokenId"
        raise AwsError(
            code, "The provided token is malformed or otherwise invalid.", 400 if claim.service == "s3" else 403
        )
    if credentials.expires is not None and time.time() > credentials.expires:
        raise AwsError("ExpiredToken", "The security token included in the request is expired", 403)
    _check_time(claim)
    _check_signed_headers(call, claim)
    if not hmac.compare_digest(_expected(call, claim, credentials.secret_access_key), claim.signature):
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
            403,
        )
    return credentials.principal
