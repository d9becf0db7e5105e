"""AWS::CloudFront::Distribution and AWS::CloudFront::OriginAccessControl."""

from __future__ import annotations

from typing import Any

from localcloud.engine.resource_type import Context, ResourceType, boolean
from localcloud.engine.resources.shapes import booleans, integers, only, picked
from localcloud.engine.stack import Physical

_CONFIG_TEXTS = ("Comment", "DefaultRootObject", "HttpVersion", "PriceClass", "WebACLId")
_CONFIG = {*_CONFIG_TEXTS, "Aliases", "CacheBehaviors", "CustomErrorResponses", "DefaultCacheBehavior", "Enabled"}
_CONFIG |= {"IPV6Enabled", "Origins", "ViewerCertificate"}
_BEHAVIOR_TEXTS = (
    "CachePolicyId",
    "OriginRequestPolicyId",
    "PathPattern",
    "ResponseHeadersPolicyId",
    "TargetOriginId",
    "ViewerProtocolPolicy",
)
_ORIGIN_TEXTS = ("DomainName", "Id", "OriginAccessControlId", "OriginPath")
_CUSTOM_ORIGIN = {"HTTPPort", "HTTPSPort", "OriginProtocolPolicy", "OriginSSLProtocols"}
_VIEWER = {
    "AcmCertificateArn": "ACMCertificateArn",
    "IamCertificateId": "IAMCertificateId",
    "MinimumProtocolVersion": "MinimumProtocolVersion",
    "SslSupportMethod": "SSLSupportMethod",
}
_CONTROL = frozenset({"Description", "Name", "OriginAccessControlOriginType", "SigningBehavior", "SigningProtocol"})


def _counted(items: list[Any]) -> dict[str, Any]:
    return {"Quantity": len(items), "Items": items} if items else {"Quantity": 0}


def _behavior(value: dict[str, Any]) -> dict[str, Any]:
    only(value, {*_BEHAVIOR_TEXTS, "AllowedMethods", "CachedMethods", "Compress"}, "a cache behavior")
    made: dict[str, Any] = {**picked(value, *_BEHAVIOR_TEXTS), **booleans(value, "Compress")}
    if "AllowedMethods" in value:
        cached = value.get("CachedMethods", ["GET", "HEAD"])
        made["AllowedMethods"] = {**_counted(value["AllowedMethods"]), "CachedMethods": _counted(cached)}
    return made


def _origin(value: dict[str, Any]) -> dict[str, Any]:
    only(value, {*_ORIGIN_TEXTS, "CustomOriginConfig", "S3OriginConfig"}, "an origin")
    made: dict[str, Any] = picked(value, *_ORIGIN_TEXTS)
    if "CustomOriginConfig" in value:
        custom = value["CustomOriginConfig"]
        only(custom, _CUSTOM_ORIGIN, "CustomOriginConfig")
        ports = {"HTTPPort": 80, "HTTPSPort": 443, **integers(custom, "HTTPPort", "HTTPSPort")}
        made["CustomOriginConfig"] = {**ports, "OriginProtocolPolicy": custom["OriginProtocolPolicy"]}
        if "OriginSSLProtocols" in custom:
            made["CustomOriginConfig"]["OriginSslProtocols"] = _counted(custom["OriginSSLProtocols"])
    else:
        only(value.get("S3OriginConfig", {}), {"OriginAccessIdentity"}, "S3OriginConfig")
        identity = value.get("S3OriginConfig", {}).get("OriginAccessIdentity", "")
        made["S3OriginConfig"] = {"OriginAccessIdentity": identity}
    return made


def _viewer(value: dict[str, Any]) -> dict[str, Any]:
    only(value, {*_VIEWER, "CloudFrontDefaultCertificate"}, "ViewerCertificate")
    made: dict[str, Any] = {_VIEWER[key]: item for key, item in value.items() if key in _VIEWER}
    return {**made, **booleans(value, "CloudFrontDefaultCertificate")}


def _request(value: dict[str, Any], reference: str) -> dict[str, Any]:
    only(value, _CONFIG, "DistributionConfig")
    made: dict[str, Any] = {
        "Comment": "",
        **picked(value, *_CONFIG_TEXTS),
        "CallerReference": reference,
        "Enabled": boolean(value["Enabled"]),
        "Aliases": _counted(value.get("Aliases", [])),
        "Origins": _counted([_origin(origin) for origin in value["Origins"]]),
        "DefaultCacheBehavior": _behavior(value["DefaultCacheBehavior"]),
        "CacheBehaviors": _counted([_behavior(behavior) for behavior in value.get("CacheBehaviors", [])]),
    }
    if "IPV6Enabled" in value:
        made["IsIPV6Enabled"] = boolean(value["IPV6Enabled"])
    if "CustomErrorResponses" in value:
        numbers = ("ErrorCode", "ErrorCachingMinTTL")
        for response in value["CustomErrorResponses"]:
            only(response, {*numbers, "ResponseCode", "ResponsePagePath"}, "a custom error response")
        made["CustomErrorResponses"] = _counted(
            [
                {**{key: str(item) for key, item in response.items()}, **integers(response, *numbers)}
                for response in value["CustomErrorResponses"]
            ]
        )
    if "ViewerCertificate" in value:
        made["ViewerCertificate"] = _viewer(value["ViewerCertificate"])
    return made


class Distribution(ResourceType):
    name = "AWS::CloudFront::Distribution"
    properties = frozenset({"DistributionConfig", "Tags"})
    required = frozenset({"DistributionConfig"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        reference = context.generated_name(128)
        config, tags = _request(properties["DistributionConfig"], reference), properties.get("Tags", [])
        made = context.client("cloudfront").create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": tags}}
        )["Distribution"]
        return Physical(made["Id"], properties, {"Id": made["Id"], "DomainName": made["DomainName"]})

    @staticmethod
    def _change(context: Context, identifier: str, properties: dict[str, Any], **more: Any) -> str:
        """Puts another configuration in the place of the current one: the new version."""
        client = context.client("cloudfront")
        current = client.get_distribution_config(Id=identifier)
        reference = current["DistributionConfig"]["CallerReference"]
        config = {**_request(properties["DistributionConfig"], reference), **more}
        return client.update_distribution(Id=identifier, IfMatch=current["ETag"], DistributionConfig=config)["ETag"]

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        self._change(context, physical.id, properties)
        return Physical(physical.id, properties, physical.attributes)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("cloudfront").get_distribution(Id=physical.id)

    def delete(self, context: Context, physical: Physical) -> None:
        """Only what is disabled can be deleted."""
        version = self._change(context, physical.id, physical.properties, Enabled=False)
        context.client("cloudfront").delete_distribution(Id=physical.id, IfMatch=version)


class OriginAccessControl(ResourceType):
    name = "AWS::CloudFront::OriginAccessControl"
    properties = frozenset({"OriginAccessControlConfig"})
    required = properties

    @staticmethod
    def _config(properties: dict[str, Any]) -> dict[str, Any]:
        only(properties["OriginAccessControlConfig"], set(_CONTROL), "OriginAccessControlConfig")
        return dict(properties["OriginAccessControlConfig"])

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        made = context.client("cloudfront").create_origin_access_control(
            OriginAccessControlConfig=self._config(properties)
        )["OriginAccessControl"]
        return Physical(made["Id"], properties, {"Id": made["Id"]})

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("cloudfront")
        version = client.get_origin_access_control(Id=physical.id)["ETag"]
        client.update_origin_access_control(
            Id=physical.id, IfMatch=version, OriginAccessControlConfig=self._config(properties)
        )
        return Physical(physical.id, properties, physical.attributes)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("cloudfront").get_origin_access_control(Id=physical.id)

    def delete(self, context: Context, physical: Physical) -> None:
        client = context.client("cloudfront")
        version = client.get_origin_access_control(Id=physical.id)["ETag"]
        client.delete_origin_access_control(Id=physical.id, IfMatch=version)
