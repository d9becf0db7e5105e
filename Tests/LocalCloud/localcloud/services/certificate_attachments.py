"""What load balancers and distributions ask of a certificate before they use it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from moto.cloudfront.models import cloudfront_backends
from moto.elbv2.models import elbv2_backends

from localcloud.errors import AwsError
from localcloud.gateway.call import Answer, Call
from localcloud.gateway.emulator import Emulator
from localcloud.services.acm import Acm
from localcloud.services.key_pairs import algorithm_of
from localcloud.services.server_certificates import ServerCertificates

_FOR_CLOUDFRONT = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1")
_FOR_CLOUDFRONT_FROM_IAM = ("RSA_1024", "RSA_2048", "EC_prime256v1")


class CertificateAttachments:
    """Checks first, and leaves the rest to the emulator."""

    def __init__(self, emulator: Emulator, acm: Acm, server_certificates: ServerCertificates):
        self._emulator = emulator
        self._acm = acm
        self._server_certificates = server_certificates

    def operations(self) -> dict[str, Callable[[Call], Answer]]:
        classic = ("CreateLoadBalancer", "CreateLoadBalancerListeners", "SetLoadBalancerListenerSSLCertificate")
        return {
            **{f"elb:{name}": self.classic for name in classic},
            "elbv2:CreateListener": self.listener,
            "elbv2:AddListenerCertificates": self.listener,
            "elbv2:ModifyListener": self.modify_listener,
            "cloudfront:CreateDistribution": self.distribution,
            "cloudfront:CreateDistributionWithTags": self.distribution,
            "cloudfront:UpdateDistribution": self.update_distribution,
            "cloudfront:DeleteDistribution": self.delete_distribution,
        }

    def _answer(self, call: Call) -> Answer:
        assert call.principal is not None
        return self._emulator.answer(call, call.principal.account)

    def _check(self, arns: list[str], region: str) -> None:
        """A load balancer finds certificates of its own region in ACM, and those of IAM that are visible already."""
        for arn in arns:
            kept = self._acm.bundle(arn) if ":acm:" in arn and arn.split(":")[3] == region else None
            if kept is None and not (":iam:" in arn and self._server_certificates.by_arn(arn)):
                raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found", 400)

    def classic(self, call: Call) -> Answer:
        params = call.params
        named = [each.get("SSLCertificateId") for each in params.get("Listeners", [])]
        self._check([arn for arn in [*named, params.get("SSLCertificateId")] if arn], call.region)
        return self._answer(call)

    def listener(self, call: Call) -> Answer:
        self._check([each["CertificateArn"] for each in call.params.get("Certificates") or []], call.region)
        return self._answer(call)

    def modify_listener(self, call: Call) -> Answer:
        """Another default certificate; those for further names stay, which the emulator forgets."""
        assert call.principal is not None
        balancers = elbv2_backends[call.principal.account][call.region].load_balancers.values()
        found = next(
            (b.listeners[arn] for b in balancers for arn in b.listeners if arn == call.params["ListenerArn"]), None
        )
        further = list(found.certificates[1:]) if found else []
        answer = self.listener(call)
        if found and answer.status < 300 and call.params.get("Certificates"):
            default = call.params["Certificates"][0]["CertificateArn"]
            found.certificates = [default, *(arn for arn in further if arn != default)]
        return answer

    def distribution(self, call: Call) -> Answer:
        wanted: dict[str, Any] = call.params.get("DistributionConfig") or call.params["DistributionConfigWithTags"]
        self._check_viewer((wanted.get("DistributionConfig") or wanted).get("ViewerCertificate") or {}, call)
        return self._answer(call)

    def _check_viewer(self, wanted: dict[str, Any], call: Call) -> None:
        assert call.principal is not None
        arn, identifier = wanted.get("ACMCertificateArn"), wanted.get("IAMCertificateId")
        usable = True
        if arn:
            kept = self._acm.bundle(arn) if arn.split(":")[3] == "us-east-1" else None
            usable = kept is not None and algorithm_of(kept._cert.public_key()) in _FOR_CLOUDFRONT
        elif identifier:
            all_of_them = self._server_certificates.visible(call.principal.account)
            found = next((each for each in all_of_them if each.identifier == identifier), None)
            usable = (
                found is not None
                and found.path.startswith("/cloudfront/")
                and found.algorithm in _FOR_CLOUDFRONT_FROM_IAM
            )
        if not usable:
            raise AwsError(
                "InvalidViewerCertificate",
                "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't "
                "include a valid certificate chain.",
                400,
            )

    @staticmethod
    def _current(call: Call) -> Any:
        """The distribution, whose version the caller must know."""
        assert call.principal is not None
        found = cloudfront_backends[call.principal.account]["aws"].distributions.get(call.params["Id"])
        if found is None:
            raise AwsError("NoSuchDistribution", "The specified distribution does not exist.", 404)
        given = call.header("if-match")
        if not given:
            message = "The If-Match version is missing or not valid for the resource."
            raise AwsError("InvalidIfMatchVersion", message, 400)
        if given != found.etag:
            message = (
                "The request failed because it didn't meet the preconditions in one or more request-header fields."
            )
            raise AwsError("PreconditionFailed", message, 412)
        return found

    def update_distribution(self, call: Call) -> Answer:
        found = self._current(call)
        self._check_viewer(call.params["DistributionConfig"].get("ViewerCertificate") or {}, call)
        before, found.etag = found.etag, "E" + secrets.token_hex(6).upper()
        answer = self._answer(call)
        if answer.status >= 300:
            found.etag = before
        return answer

    def delete_distribution(self, call: Call) -> Answer:
        if str(self._current(call).distribution_config.Enabled).lower() == "true":
            message = "The distribution you are trying to delete has not been disabled."
            raise AwsError("DistributionNotDisabled", message, 409)
        return self._answer(call)
