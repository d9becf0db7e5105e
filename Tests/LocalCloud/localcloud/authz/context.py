"""The condition keys of a request: what the policies' Condition blocks are evaluated against."""

from __future__ import annotations

from typing import Any

from localcloud.authz import certificate_resources
from localcloud.authz.principals import Principal
from localcloud.gateway.call import Call

PLAIN_HTTP_HEADER = "x-localcloud-plain-http"
"""A request with this header is judged as one without TLS. The cloud's own address is http, as it never leaves the
machine, so that every other request counts as secure."""

_TYPES = {"role": "AssumedRole", "user": "User", "anonymous": "Anonymous"}
_S3_QUERY_KEYS = {
    "prefix": "s3:prefix",
    "delimiter": "s3:delimiter",
    "max-keys": "s3:max-keys",
    "versionId": "s3:versionid",
}
_PLAIN_S3_HEADERS = ("if-none-match", "if-match")


def of_principal(principal: Principal) -> dict[str, str | list[str]]:
    context: dict[str, str | list[str]] = {
        "aws:principalisawsservice": "true" if principal.kind == "service" else "false",
    }
    if principal.kind == "service":
        context["aws:principalservicename"] = principal.arn
    elif principal.kind != "anonymous":
        context["aws:principalarn"] = principal.identity_arn
        context["aws:principalaccount"] = principal.account
        context["aws:userid"] = principal.user_id
        if principal.username:
            context["aws:username"] = principal.username
    if principal.kind in _TYPES:
        context["aws:principaltype"] = _TYPES[principal.kind]
    return context


def _of_s3(call: Call) -> dict[str, str | list[str]]:
    context: dict[str, str | list[str]] = {}
    for name, value in call.headers:
        lower = name.lower()
        if lower.startswith("x-amz-") or lower in _PLAIN_S3_HEADERS:
            context["s3:" + lower] = value
    for parameter, key in _S3_QUERY_KEYS.items():
        if parameter in call.query:
            context[key] = call.query[parameter]
    if call.header("authorization"):
        context["s3:authtype"], context["s3:signatureversion"] = "REST-HEADER", "AWS4-HMAC-SHA256"
    elif "X-Amz-Signature" in call.query:
        context["s3:authtype"], context["s3:signatureversion"] = "REST-QUERY-STRING", "AWS4-HMAC-SHA256"
    return context


def _of_encryption_context(pairs: dict[str, Any] | None) -> dict[str, str | list[str]]:
    if not pairs:
        return {}
    context: dict[str, str | list[str]] = {f"kms:encryptioncontext:{k.lower()}": str(v) for k, v in pairs.items()}
    context["kms:encryptioncontextkeys"] = list(pairs)
    return context


def of_call(call: Call) -> dict[str, str | list[str]]:
    """The keys that any AWS request carries, and those of its service."""
    assert call.principal is not None
    context = of_principal(call.principal)
    context["aws:securetransport"] = "false" if call.header(PLAIN_HTTP_HEADER) else "true"
    context["aws:requestedregion"] = call.region
    context["aws:viaawsservice"] = "false"
    params = call.params
    if call.service == "s3":
        context.update(_of_s3(call))
    elif call.service == "kms":
        context["kms:calleraccount"] = call.principal.account
        context.update(_of_encryption_context(params.get("EncryptionContext")))
        if call.operation == "CreateGrant":
            context["kms:grantisforawsresource"] = "false"
    elif call.service == "sts" and call.operation == "AssumeRole":
        context["sts:rolesessionname"] = params.get("RoleSessionName", "")
        if "ExternalId" in params:
            context["sts:externalid"] = params["ExternalId"]
    elif call.service == "cloudformation":
        for parameter, key in (
            ("RoleARN", "cloudformation:rolearn"),
            ("ChangeSetName", "cloudformation:changesetname"),
            ("TemplateURL", "cloudformation:templateurl"),
            ("StackPolicyURL", "cloudformation:stackpolicyurl"),
        ):
            if parameter in params:
                context[key] = params[parameter]
    elif call.service in ("acm", "iam", "route53"):
        context.update(certificate_resources.context(call))
    elif call.service == "sns" and call.operation == "Subscribe":
        context["sns:protocol"], context["sns:endpoint"] = params.get("Protocol", ""), params.get("Endpoint", "")
    return context


def of_s3_key_use(principal: Principal, region: str, object_arn: str) -> dict[str, str | list[str]]:
    """What KMS sees when S3 uses a key for `principal`, with an S3 bucket key switched off."""
    return {
        **of_principal(principal),
        **_of_encryption_context({"aws:s3:arn": object_arn}),
        "aws:securetransport": "true",
        "aws:requestedregion": region,
        "aws:viaawsservice": "true",
        "aws:calledvia": ["s3.amazonaws.com"],
        "kms:calleraccount": principal.account,
        "kms:viaservice": f"s3.{region}.amazonaws.com",
    }
