"""A CloudFront distribution, from outside."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from moto.cloudfront.models import cloudfront_backends

from localcloud.authz import context
from localcloud.authz.authorizer import bucket
from localcloud.authz.principals import service_principal
from localcloud.authz.s3_actions import object_arn
from localcloud.cloud import LocalCloud
from localcloud.fronts.tls import Keys, TlsFront
from localcloud.gateway.call import Answer, Call

_BUCKET = re.compile(r"(.+)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com")


class DistributionFront(TlsFront):
    """`with DistributionFront(cloud, distribution_id) as front:` — HTTPS at 127.0.0.1:`front.port`, with the viewer
    certificate. Objects come from the default behavior's bucket, read by CloudFront as the bucket's policy lets it."""

    def __init__(self, cloud: LocalCloud, distribution_id: str):
        self._cloud = cloud
        self._id = distribution_id
        super().__init__(Keys(cloud.acm, cloud.server_certificates), self._viewer_certificates, self._answer)

    def __enter__(self) -> DistributionFront:
        return self

    def _distribution(self) -> Any:
        return cloudfront_backends[self._cloud.account]["aws"].distributions[self._id]

    def _viewer_certificates(self) -> list[str]:
        shown = self._distribution().distribution_config.ViewerCertificate
        if shown.acm_certificate_arn:
            return [shown.acm_certificate_arn]
        kept = self._cloud.server_certificates.visible(self._cloud.account)
        return [each.arn for each in kept if each.identifier == shown.iam_certificate_id]

    def _answer(self, call: Call) -> Answer:
        configuration = self._distribution().distribution_config
        wanted = configuration.DefaultCacheBehavior.target_origin_id
        origin = next(each for each in configuration.Origins["Items"] if each.id == wanted)
        named = _BUCKET.fullmatch(origin.domain_name)
        found = bucket(named.group(1)) if named else None
        key = unquote(call.path).lstrip("/") or configuration.DefaultRootObject
        if found is None or call.method not in ("GET", "HEAD"):
            return Answer(502 if found is None else 403)
        who = service_principal("cloudfront.amazonaws.com")
        keys = {
            **context.of_principal(who),
            "aws:securetransport": "true",
            "aws:sourcearn": self._distribution().arn,
            "aws:sourceaccount": self._cloud.account,
        }
        if not self._cloud.authorizer.check(who, "s3:GetObject", object_arn(found.name, key), keys).allowed:
            return Answer(403, [("Content-Type", "application/xml")], b"<Error><Code>AccessDenied</Code></Error>")
        kept = found.keys.get(key)
        if kept is None:
            return Answer(404, [("Content-Type", "application/xml")], b"<Error><Code>NoSuchKey</Code></Error>")
        return Answer(200, [("Content-Type", kept.metadata.get("content-type", "binary/octet-stream"))], kept.value)
