"""Resources, tags and condition keys of what names and certificates need: Route 53, ACM, IAM, CloudFront."""

from __future__ import annotations

import re
from typing import Any

from moto.acm.models import acm_backends
from moto.iam.models import iam_backends

from localcloud.gateway.call import Call

Keys = dict[str, "str | list[str]"]


def route53(call: Call, _account: str) -> list[str]:
    if call.operation == "GetChange":
        return [f"arn:aws:route53:::change/{call.params['Id'].removeprefix('/change/')}"]
    zone = call.params.get("HostedZoneId") or call.params.get("Id")
    if not zone or call.operation.startswith("ListHostedZones"):
        return ["*"]
    return [f"arn:aws:route53:::hostedzone/{zone.removeprefix('/hostedzone/')}"]


def acm(call: Call, account: str) -> list[str]:
    if call.operation.startswith("List") and call.operation != "ListTagsForCertificate":
        return ["*"]
    return [call.params.get("CertificateArn") or f"arn:aws:acm:{call.region}:{account}:certificate/*"]


def cloudfront(call: Call, account: str) -> list[str]:
    kind = "origin-access-control" if "OriginAccessControl" in call.operation else "distribution"
    if call.operation.startswith("List"):
        return ["*"]
    return [f"arn:aws:cloudfront::{account}:{kind}/{call.params.get('Id') or '*'}"]


def server_certificate(call: Call, account: str) -> str:
    """The ARN, with the path of one that exists or that the request gives to a new one."""
    name = call.params["ServerCertificateName"]
    kept = iam_backends[account]["aws"].certificates.values()
    found = next((each for each in list(kept) if each.cert_name == name), None)
    if found and call.operation != "UploadServerCertificate":
        return found.arn
    return f"arn:aws:iam::{account}:server-certificate{call.params.get('Path') or '/'}{name}"


_TAGGING = {
    "acm:ImportCertificate": "acm:AddTagsToCertificate",
    "acm:RequestCertificate": "acm:AddTagsToCertificate",
    "iam:UploadServerCertificate": "iam:TagServerCertificate",
}


def also_needed(call: Call) -> list[str]:
    """Further actions on the same resource: giving tags at the creation is a permission of its own."""
    return [_TAGGING[call.name]] if call.params.get("Tags") and call.name in _TAGGING else []


def _normalized(name: str) -> str:
    """A record's name as conditions see it: lower case, no final dot, anything unusual as an octal escape."""
    lower = name.rstrip(".").replace("\\052", "*").lower()
    return re.sub(r"[^a-z0-9._-]", lambda found: f"\\{ord(found.group()):03o}", lower)


def _of_changes(changes: list[dict[str, Any]]) -> Keys:
    prefix = "route53:changeresourcerecordsets"
    records = [change["ResourceRecordSet"] for change in changes]
    return {
        prefix + "normalizedrecordnames": sorted({_normalized(record["Name"]) for record in records}),
        prefix + "recordtypes": sorted({record["Type"] for record in records}),
        prefix + "actions": sorted({change["Action"] for change in changes}),
    }


def _resource_tags(call: Call, account: str) -> dict[str, str]:
    if call.service == "acm":
        parts = call.params.get("CertificateArn", "").split(":")
        found = acm_backends[account][parts[3]]._certificates.get(":".join(parts)) if len(parts) == 6 else None
        return {key: value or "" for key, value in found.tags.items()} if found else {}
    if "ServerCertificateName" in call.params and call.operation != "UploadServerCertificate":
        kept = iam_backends[account]["aws"].certificates.values()
        named = [each for each in list(kept) if each.cert_name == call.params["ServerCertificateName"]]
        return {tag["Key"]: tag["Value"] for each in named for tag in vars(each)["tags"]}
    return {}


def context(call: Call) -> Keys:
    """The condition keys that these services add."""
    assert call.principal is not None
    keys: Keys = {}
    if call.name == "route53:ChangeResourceRecordSets":
        keys |= _of_changes(call.params["ChangeBatch"]["Changes"])
    if call.service in ("acm", "iam"):
        given = {tag["Key"]: tag.get("Value") or "" for tag in call.params.get("Tags") or []}
        keys |= {f"aws:requesttag/{key.lower()}": value for key, value in given.items()}
        if given:
            keys["aws:tagkeys"] = list(given)
        tags = _resource_tags(call, call.principal.account)
        keys |= {f"aws:resourcetag/{key.lower()}": value for key, value in tags.items()}
    return keys
