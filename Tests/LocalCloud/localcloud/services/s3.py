"""What S3 does around an operation and the emulator does not: owners, hidden keys, encryption, public policies."""

from __future__ import annotations

from xml.sax.saxutils import escape

from moto.s3.models import FakeBucket, FakeDeleteMarker

from localcloud.authz import context, s3_actions
from localcloud.authz.authorizer import Authorizer, bucket, bucket_owner
from localcloud.authz.public_access import is_public
from localcloud.authz.s3_keys import S3Keys
from localcloud.errors import AccessDenied, AwsError
from localcloud.gateway.call import Answer, Call
from localcloud.gateway.emulator import Emulator
from localcloud.recorder import Decision

# Conditions are evaluated for the current version only (User Guide, "How to perform conditional deletes"). What S3
# answers to one beside a version id was measured: localstack/localstack#13894 (us-east-1, 2026-03-06).
_NOT_IMPLEMENTED = "A header you provided implies functionality that is not implemented."
_READS = ("GetObject", "HeadObject", "GetObjectAttributes", "GetObjectTagging")


class S3:
    """Answers S3 calls that have already been authorized."""

    def __init__(self, emulator: Emulator, authorizer: Authorizer, region: str):
        self._emulator = emulator
        self._authorizer = authorizer
        self._keys = S3Keys(authorizer)
        self._region = region

    def answer(self, call: Call, decisions: list[Decision]) -> Answer:
        assert call.principal is not None
        name = s3_actions.bucket_of(call)
        owner = bucket_owner(name) or call.principal.account
        self._check_owners(call, name)
        if call.operation == "PutBucketPolicy":
            self._check_public_policy(call, name)
        self._check_acl(call, name)
        if call.operation == "DeleteObject" and call.header("if-match") and call.query.get("versionId"):
            raise AwsError("NotImplemented", _NOT_IMPLEMENTED, 501)
        if call.operation == "DeleteObjects":
            return self._delete_objects(call, owner, decisions)
        self._keys.before_copy(call, decisions)
        self._keys.before_write(call, decisions)
        answer = self._emulated(call, owner, bucket(name))
        if answer.status in (404, 405) and call.operation in _READS and self._names_marker(call, name):
            raise AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
        if answer.status == 404 and call.operation in _READS and bucket(name) is not None:
            self._hide_absence(call, str(name), decisions)
        self._keys.after_read(call, answer, decisions)
        return answer

    def _emulated(self, call: Call, owner: str, found: FakeBucket | None) -> Answer:
        """What was written without versioning has the version id `null`. GetObject and HeadObject tell it as soon as
        the bucket's versioning has been configured, also when it is suspended; PutObject and CopyObject never do (API
        reference of PutObject, sample response "versioning suspended"). The emulator gets all of this wrong."""
        if found is not None and call.operation in ("PutObject", "CopyObject"):
            answer = self._emulator.answer(call, owner)
            answer.headers[:] = [h for h in answer.headers if (h[0].lower(), h[1]) != ("x-amz-version-id", "null")]
            return answer
        if found is None or call.operation not in ("GetObject", "HeadObject"):
            return self._emulator.answer(call, owner)
        if not found.is_versioned and call.query.get("versionId") == "null":
            call = Call(call.method, call.path, call.headers, call.body, "s3", call.operation, call.params, call.region)
        answer = self._emulator.answer(call, owner)
        if found.is_versioned and answer.status < 300 and answer.header("x-amz-version-id") is None:
            answer.headers.append(("x-amz-version-id", "null"))
        return answer

    @staticmethod
    def _names_marker(call: Call, name: str | None) -> bool:
        """A delete marker that is asked for by its version id is there, though it cannot be read."""
        found, version = bucket(name), call.params.get("VersionId")
        versions = found.keys.getlist(call.params.get("Key"), default=[]) if found and version else []
        return any(isinstance(each, FakeDeleteMarker) and each.version_id == version for each in versions)

    @staticmethod
    def _check_owners(call: Call, name: str | None) -> None:
        source = s3_actions.copy_source(call)
        for header, owner in (
            ("x-amz-expected-bucket-owner", bucket_owner(name)),
            ("x-amz-source-expected-bucket-owner", bucket_owner(source[0]) if source else None),
        ):
            expected = call.header(header)
            if expected and owner and expected != owner:
                raise AwsError("AccessDenied", "Access Denied", 403)

    @staticmethod
    def _check_acl(call: Call, name: str | None) -> None:
        """Where the bucket owner is enforced, only the owner's full control may be asked for (User Guide, "Controlling
        ownership of objects"). A bucket without ownership controls is one from before April 2023, when that became
        the default."""
        if call.operation not in ("PutObject", "CopyObject", "CreateMultipartUpload"):
            return
        found = bucket(name)
        # The emulator keeps the rule as text or as nested members, depending on who set it.
        enforced = found is not None and "BucketOwnerEnforced" in str(found.ownership_rule)
        if enforced and call.header("x-amz-acl") not in (None, "bucket-owner-full-control"):
            raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)

    @staticmethod
    def _check_public_policy(call: Call, name: str | None) -> None:
        found = bucket(name)
        block = found.public_access_block if found else None
        if block is not None and block.block_public_policy and is_public(call.body.decode()):
            raise AwsError("AccessDenied", "public policies are blocked by the BlockPublicPolicy block", 403)

    def _hide_absence(self, call: Call, name: str, decisions: list[Decision]) -> None:
        """Without s3:ListBucket nobody learns that a key is missing: 403 instead of 404."""
        assert call.principal is not None
        keys = context.of_call(call)
        if self._authorizer.implicit_list_prefix:
            keys["s3:prefix"] = call.params.get("Key", "")
        decision = self._authorizer.check(call.principal, "s3:ListBucket", f"arn:aws:s3:::{name}", keys)
        decisions.append(decision)
        if not decision.allowed:
            raise AccessDenied("Access Denied")

    def _delete_objects(self, call: Call, owner: str, decisions: list[Decision]) -> Answer:
        """Decided key by key: refused keys are listed in the answer, the others are deleted one at a time."""
        assert call.principal is not None
        keys, name = context.of_call(call), str(s3_actions.bucket_of(call))
        if bucket(name) is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        rows = []
        for item in call.params["Delete"]["Objects"]:
            version = item.get("VersionId")
            action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
            decision = self._authorizer.check(
                call.principal,
                action,
                s3_actions.object_arn(name, item["Key"]),
                keys | ({"s3:versionid": version} if version else {}),
            )
            decisions.append(decision)
            shown = f"<Key>{escape(item['Key'])}</Key>" + (f"<VersionId>{version}</VersionId>" if version else "")
            if not decision.allowed:
                rows.append(f"<Error>{shown}<Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
                continue
            answer = self._emulator.answer(self._single_deletion(call, name, item["Key"], version), owner)
            marker = answer.header("x-amz-delete-marker") == "true"
            made = answer.header("x-amz-version-id")
            if marker:
                shown += f"<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>{made}</DeleteMarkerVersionId>"
            if not call.params["Delete"].get("Quiet"):
                rows.append(f"<Deleted>{shown}</Deleted>")
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult>{"".join(rows)}</DeleteResult>'
        return Answer(200, [("Content-Type", "application/xml")], body.encode())

    @staticmethod
    def _single_deletion(call: Call, name: str, key: str, version: str | None) -> Call:
        from urllib.parse import quote

        target = f"/{name}/{quote(key, safe='/~')}" + (f"?versionId={quote(version)}" if version else "")
        headers = [(n, v) for n, v in call.headers if n.lower() not in ("content-type", "content-md5")]
        return Call("DELETE", target, headers, b"", "s3", "DeleteObject", {"Bucket": name, "Key": key}, call.region)
