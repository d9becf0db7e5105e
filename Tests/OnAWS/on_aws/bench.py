"""What probes work with: clients, roles, buckets, stacks, each removed again in the reverse order of their making."""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from on_aws.place import Place

TAG = "stackcert-proof"
_CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class Inconclusive(Exception):
    """A probe could not come to an answer; the message says why. Nothing is written down."""


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Ctrl-C waits: between the making of something without a name of our choice and the note that it exists."""
    kinds = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, kinds)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def outcome(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    """HTTP status and error code of a call; the code is empty when it succeeded."""
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"], ""
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]


def _is_gone(error: Exception) -> bool:
    """Whether a removal failed because there is nothing to remove."""
    if not isinstance(error, ClientError):
        return False
    code = error.response["Error"]["Code"]
    named = code.startswith("NoSuch") or "NotFound" in code or code.endswith("NonExistentQueue")
    return named or (code == "ValidationError" and "does not exist" in str(error))


class Bench:
    """One run. `run` is in the name and in the tags of everything that it makes. Use it as a context."""

    def __init__(self, place: Place, say: Callable[[str], None] = lambda line: None):
        self.place = place
        self.run = secrets.token_hex(4)
        self.left_behind: list[str] = []
        self._say = say
        self._stack = contextlib.ExitStack()
        self._shared: dict[str, Any] = {}
        self._count = 0

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_exception: object) -> None:
        with signals_held():
            self._stack.close()

    # Names, tags, clients.

    def name(self, what: str) -> str:
        self._count += 1
        return f"{TAG}-{self.run}-{what}-{self._count}"

    @property
    def tags(self) -> list[dict[str, str]]:
        return [{"Key": TAG, "Value": self.run}]

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        return self.place.client(service, credentials)

    def arn(self, service: str, rest: str, region: bool = True) -> str:
        where = self.place.region if region else ""
        return f"arn:{self.place.partition}:{service}:{where}:{self.place.account}:{rest}"

    # Clean-up.

    def undo(self, what: str, action: Callable[[], Any]) -> None:
        """Registers the removal of `what`. Do so before it is made wherever its name is known before: a call whose
        answer is lost may have made it. A removal that finds nothing has succeeded."""

        def attempt() -> None:
            try:
                action()
            except Exception as error:
                if not _is_gone(error):
                    self.left_behind.append(f"{what}: {error}")

        self._stack.callback(attempt)

    def remove_when_free(self, what: str, call: Callable[..., Any], busy: str, **arguments: Any) -> None:
        """Removes what others may still use for a while: `busy` is the code that says so."""

        def removed() -> bool:
            try:
                call(**arguments)
            except ClientError as error:
                if error.response["Error"]["Code"] != busy:
                    raise
                return False
            return True

        self.wait(f"that {what} is let go of", removed, 900)

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """What several probes use is made once."""
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    # Waiting.

    def wait(self, what: str, ready: Callable[[], Any], seconds: float = 300) -> Any:
        """Returns what `ready` returns as soon as that is true."""
        limit = time.monotonic() + (min(seconds, 30) if self.place.is_local else seconds)
        while not (found := ready()):
            if time.monotonic() > limit:
                raise Inconclusive(f"{what} did not come about within {seconds:.0f} seconds")
            self.place.pause()
        return found

    # Buckets, keys, roles.

    def bucket(self, what: str = "bucket", versioned: bool = False) -> str:
        s3, name = self.client("s3"), self.name(what)
        self.undo(f"bucket {name}", lambda: self._remove_bucket(name))
        where = {} if self.place.region == "us-east-1" else {"LocationConstraint": self.place.region}
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": self.tags})
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def _remove_bucket(self, name: str) -> None:
        s3 = self.client("s3")
        s3.delete_bucket_policy(Bucket=name)

        def emptied(**bucket: str) -> None:
            for page in s3.get_paginator("list_object_versions").paginate(**bucket):
                for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    s3.delete_object(**bucket, Key=item["Key"], VersionId=item["VersionId"])
            s3.delete_bucket(**bucket)

        # A trail may deliver once more after it is deleted.
        self.remove_when_free(name, emptied, "BucketNotEmpty", Bucket=name)

    def kms_key(self) -> str:
        """The account's policies decide about it. It is deleted after the seven days that KMS demands."""
        kms = self.client("kms")
        tags = [{"TagKey": TAG, "TagValue": self.run}]
        with signals_held():
            key = kms.create_key(Description=f"{TAG} {self.run}", Tags=tags)["KeyMetadata"]
            self.undo(f"key {key['Arn']}", lambda: kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7))
        return key["Arn"]

    def role(self, *statements: dict[str, Any], trust: str = "") -> str:
        """A role with these statements, whom this account (or a service) may assume. Returns its ARN."""
        iam, name = self.client("iam"), self.name("role")
        self.undo(f"role {name}", lambda: self._remove_role(name))
        principal = (
            {"Service": trust} if trust else {"AWS": f"arn:{self.place.partition}:iam::{self.place.account}:root"}
        )
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, Tags=self.tags, Path=f"/{TAG}/")
        policy = json.dumps({"Version": "2012-10-17", "Statement": [*statements, allow("kms:ListAliases", "*")]})
        iam.put_role_policy(RoleName=name, PolicyName="proof", PolicyDocument=policy)
        return made["Role"]["Arn"]

    def _remove_role(self, name: str) -> None:
        iam = self.client("iam")
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)

    def credentials(self, role_arn: str) -> dict[str, str]:
        """A session of the role, once its policy counts: until then a refusal would say nothing."""
        sts = self.client("sts")

        def assumed() -> dict[str, str] | None:
            try:
                return sts.assume_role(RoleArn=role_arn, RoleSessionName="proof")["Credentials"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "AccessDenied":
                    raise
                return None

        found = self.wait(f"that {role_arn} can be assumed", assumed, 90)
        kms, allowed = self.client("kms", found), 0
        wanted = 1 if self.place.is_local else 3
        limit = time.monotonic() + 90
        while allowed < wanted:
            if time.monotonic() > limit:
                raise Inconclusive(f"the policy of {role_arn} does not count after 90 seconds")
            allowed = allowed + 1 if outcome(kms.list_aliases)[1] == "" else 0
            if allowed < wanted:
                self.place.pause()
        return found

    def as_role(self, *statements: dict[str, Any]) -> dict[str, str]:
        return self.credentials(self.role(*statements))

    # Stacks.

    def stack(self, template: dict[str, Any], wait: bool = True, **more: Any) -> str:
        """Creates a stack, returns its name."""
        cloudformation, name = self.client("cloudformation"), self.name("stack")
        self.undo(f"stack {name}", lambda: self._remove_stack(name))
        more.setdefault("Tags", self.tags)
        cloudformation.create_stack(
            StackName=name, TemplateBody=json.dumps(template), Capabilities=_CAPABILITIES, **more
        )
        if wait:
            status = self.settled(name)
            if status != "CREATE_COMPLETE":
                raise Inconclusive(f"the stack {name} ended as {status}: {self.reasons(name)}")
        return name

    def status(self, name: str) -> str:
        try:
            return self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        except ClientError as error:
            if "does not exist" in str(error):
                return "DELETE_COMPLETE"
            raise

    def settled(self, name: str, seconds: float = 900) -> str:
        def ended() -> str | None:
            status = self.status(name)
            return None if status.endswith("_IN_PROGRESS") else status

        return self.wait(f"the end of {name}'s operation", ended, seconds)

    def reasons(self, name: str) -> str:
        events = self.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
        found = [
            e.get("ResourceStatusReason", "")
            for e in events
            if e["ResourceStatus"].endswith(("FAILED", "ROLLBACK_IN_PROGRESS"))
        ]
        return "; ".join(filter(None, reversed(found)))

    def _remove_stack(self, name: str) -> None:
        self.settled(name)
        self.client("cloudformation").delete_stack(StackName=name)
        if (status := self.settled(name)) != "DELETE_COMPLETE":
            raise Inconclusive(f"its deletion ended as {status}: {self.reasons(name)}")


def allow(action: str | list[str], resource: str | list[str], **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})
