"""AWS::S3::Bucket and AWS::S3::BucketPolicy."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.resources.shapes import booleans, document, integers, is_code, only
from localcloud.engine.stack import Physical

_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_RULE = {
    "Id",
    "Status",
    "Prefix",
    "ExpirationInDays",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionExpirationInDays",
    "AbortIncompleteMultipartUpload",
    "ExpiredObjectDeleteMarker",
}


def _encryption(value: dict[str, Any]) -> dict[str, Any]:
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        only(rule, {"ServerSideEncryptionByDefault", "BucketKeyEnabled"}, "BucketEncryption")
        rules.append(
            {
                "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                **booleans(rule, "BucketKeyEnabled"),
            }
        )
    return {"Rules": rules}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    only(rule, _RULE, "a lifecycle rule")
    made: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    expiration = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule["ExpirationInDays"])
    expiration.update(booleans(rule, "ExpiredObjectDeleteMarker"))
    if expiration:
        made["Expiration"] = expiration
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if noncurrent:
        only(noncurrent, {"NoncurrentDays", "NewerNoncurrentVersions"}, "NoncurrentVersionExpiration")
        made["NoncurrentVersionExpiration"] = integers(noncurrent, "NoncurrentDays", "NewerNoncurrentVersions")
    if "AbortIncompleteMultipartUpload" in rule:
        made["AbortIncompleteMultipartUpload"] = integers(rule["AbortIncompleteMultipartUpload"], "DaysAfterInitiation")
    return made


def _website(value: dict[str, Any]) -> dict[str, Any]:
    only(value, {"ErrorDocument", "IndexDocument"}, "WebsiteConfiguration")
    made: dict[str, Any] = {}
    if "IndexDocument" in value:
        made["IndexDocument"] = {"Suffix": value["IndexDocument"]}
    if "ErrorDocument" in value:
        made["ErrorDocument"] = {"Key": value["ErrorDocument"]}
    return made


class Bucket(ResourceType):
    name = "AWS::S3::Bucket"
    name_property = "BucketName"
    replaced_by = frozenset({"BucketName"})
    identifier_property = "BucketName"
    properties = frozenset(
        {
            "BucketName",
            "BucketEncryption",
            "LifecycleConfiguration",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "VersioningConfiguration",
            "WebsiteConfiguration",
        }
    )

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client, name = context.client("s3"), properties.get("BucketName") or context.generated_name(63, lower=True)
        region = context.stack.region
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client.create_bucket(Bucket=name, **where)
        context.adopt(name, properties)
        self._configure(context, name, properties)
        return self._physical(context, name, properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("s3")
        if "BucketEncryption" not in properties:
            client.delete_bucket_encryption(Bucket=physical.id)
        if "LifecycleConfiguration" not in properties:
            client.delete_bucket_lifecycle(Bucket=physical.id)
        if "PublicAccessBlockConfiguration" not in properties:
            client.delete_public_access_block(Bucket=physical.id)
        if "WebsiteConfiguration" in physical.properties and "WebsiteConfiguration" not in properties:
            client.delete_bucket_website(Bucket=physical.id)
        self._configure(context, physical.id, properties)
        return self._physical(context, physical.id, properties)

    @staticmethod
    def _configure(context: Context, name: str, properties: dict[str, Any]) -> None:
        client = context.client("s3")
        # AWS blocks public access and enforces the owner on every new bucket unless told otherwise.
        block = properties.get("PublicAccessBlockConfiguration")
        blocks = (
            dict.fromkeys(_BLOCKS, True)
            if block is None
            else {**dict.fromkeys(_BLOCKS, False), **booleans(block, *_BLOCKS)}
        )
        client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocks)
        owner = properties.get("OwnershipControls") or {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        client.put_bucket_ownership_controls(Bucket=name, OwnershipControls=owner)
        if "BucketEncryption" in properties:
            client.put_bucket_encryption(
                Bucket=name, ServerSideEncryptionConfiguration=_encryption(properties["BucketEncryption"])
            )
        if "VersioningConfiguration" in properties:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
        if "LifecycleConfiguration" in properties:
            rules = [_lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
            client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
        if "WebsiteConfiguration" in properties:
            client.put_bucket_website(Bucket=name, WebsiteConfiguration=_website(properties["WebsiteConfiguration"]))
        if "Tags" in properties:
            client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": properties["Tags"]})

    def existing(self, context: Context, identifier: str, properties: dict[str, Any]) -> Physical:
        context.client("s3").head_bucket(Bucket=identifier)
        return self._physical(context, identifier, properties)

    @staticmethod
    def _physical(context: Context, name: str, properties: dict[str, Any]) -> Physical:
        region = context.stack.region
        attributes = {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
        }
        return Physical(name, properties, attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        try:
            context.client("s3").delete_bucket(Bucket=physical.id)
        except ClientError as error:
            if not is_code(error, "NoSuchBucket"):
                raise


class BucketPolicy(ResourceType):
    name = "AWS::S3::BucketPolicy"
    properties = frozenset({"Bucket", "PolicyDocument"})
    required = properties
    replaced_by = frozenset({"Bucket"})
    identifier_property = "Bucket"

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        """A bucket that has a policy gets no second one: aws-cloudformation/cloudformation-coverage-roadmap#1068."""
        if self._exists(context, properties["Bucket"]):
            raise ResourceFailed(f"The bucket policy already exists on bucket {properties['Bucket']}.")
        return self.update(context, Physical(properties["Bucket"], {}), properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        context.client("s3").put_bucket_policy(Bucket=physical.id, Policy=document(properties["PolicyDocument"]))
        return Physical(physical.id, properties)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("s3").get_bucket_policy(Bucket=physical.id)

    def existing(self, context: Context, identifier: str, properties: dict[str, Any]) -> Physical:
        context.client("s3").get_bucket_policy(Bucket=identifier)
        return Physical(identifier, properties)

    @staticmethod
    def _exists(context: Context, bucket: str) -> bool:
        try:
            context.client("s3").get_bucket_policy(Bucket=bucket)
        except ClientError as error:
            if is_code(error, "NoSuchBucketPolicy"):
                return False
            raise
        return True

    def delete(self, context: Context, physical: Physical) -> None:
        try:
            context.client("s3").delete_bucket_policy(Bucket=physical.id)
        except ClientError as error:
            if not is_code(error, "NoSuchBucket"):
                raise
