"""Who uses a certificate: listeners of both kinds of load balancers, and distributions."""

from __future__ import annotations

from collections.abc import Iterator

from moto.cloudfront.models import cloudfront_backends
from moto.elb.models import elb_backends
from moto.elbv2.models import elbv2_backends


def _classic(account: str) -> Iterator[tuple[str, str]]:
    for region, backend in list(elb_backends[account].items()):
        for balancer in list(backend.load_balancers.values()):
            arn = f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{balancer.name}"
            yield from ((arn, each.ssl_certificate_id) for each in balancer.listeners if each.ssl_certificate_id)


def _application(account: str) -> Iterator[tuple[str, str]]:
    for _, backend in list(elbv2_backends[account].items()):
        for balancer in list(backend.load_balancers.values()):
            for listener in list(balancer.listeners.values()):
                yield from ((balancer.arn, certificate) for certificate in listener.certificates)


def _distributions(account: str) -> Iterator[tuple[str, str]]:
    for distribution in list(cloudfront_backends[account]["aws"].distributions.values()):
        shown = vars(distribution.distribution_config)["ViewerCertificate"]
        yield from ((distribution.arn, name) for name in (shown.acm_certificate_arn, shown.iam_certificate_id) if name)


def users_of(certificate: str, account: str) -> list[str]:
    """ARNs of what uses a certificate, named by its ARN or, an IAM one in CloudFront, by its id."""
    uses = (*_classic(account), *_application(account), *_distributions(account))
    return list(dict.fromkeys(user for user, used in uses if used == certificate))
