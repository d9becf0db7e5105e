"""Where the probes run: an account on AWS, or the local cloud. Both give clients and say who asks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound

# Aliases and names of accounts that look as if somebody's customers depend on them.
_PRODUCTION = ("prod", "live", "main", "master", "core", "shared")


class CannotStart(Exception):
    """One line that says what is wrong and what to do."""


@dataclass
class Place:
    """`client` makes a client of a service; `credentials` are those of AssumeRole, None is the caller."""

    account: str
    region: str
    partition: str
    caller: str
    alias: str
    client: Callable[..., Any]
    is_local: bool = False
    other_account: Callable[..., Any] | None = None
    options: dict[str, str] = field(default_factory=dict)
    _pause: float = 5

    def pause(self) -> None:
        """Between two looks at the same thing. The local cloud needs no time for anything."""
        time.sleep(0.02 if self.is_local else self._pause)

    @property
    def looks_like_production(self) -> bool:
        return any(word in self.alias.lower() for word in _PRODUCTION)


def _who(session: boto3.Session, region: str) -> dict[str, str]:
    """The caller, or one line about why AWS does not say."""
    try:
        return session.client("sts", region_name=region).get_caller_identity()
    except NoCredentialsError as error:
        raise CannotStart("No AWS credentials were found: set AWS_PROFILE, or pass --profile.") from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
            raise CannotStart(
                "The AWS credentials have expired: sign in again, for example with `aws sso login`."
            ) from error
        if code in ("InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"):
            raise CannotStart(
                f"AWS does not know these credentials, or the region {region} is not enabled ({code})."
            ) from error
        raise CannotStart(f"AWS does not say whose credentials these are: {error}") from error
    except BotoCoreError as error:
        raise CannotStart(f"AWS cannot be asked whose credentials these are: {error}") from error


def _session(profile: str | None) -> boto3.Session:
    try:
        return boto3.Session(profile_name=profile)
    except ProfileNotFound as error:
        raise CannotStart(f"{error}: `aws configure list-profiles` lists those that there are.") from error


def on_aws(profile: str | None, region: str | None, options: dict[str, str]) -> Place:
    session = _session(profile)
    region = region or session.region_name or ""
    if not region:
        raise CannotStart("No region is chosen: pass --region, or set AWS_REGION.")
    known = {r for p in session.get_available_partitions() for r in session.get_available_regions("sts", p)}
    if region not in known:
        raise CannotStart(f"There is no region {region!r}: pass one such as eu-central-1.")
    if os.environ.get("AWS_ENDPOINT_URL"):
        raise CannotStart(
            "AWS_ENDPOINT_URL is set, so that this would not ask AWS: unset it, or use make prove-on-aws-local."
        )
    who = _who(session, region)
    other = None
    if options.get("other-profile"):
        other_session = _session(options["other-profile"])
        if _who(other_session, region)["Account"] == who["Account"]:
            raise CannotStart("--other-profile leads to the same account: it has to be of another one.")
        other = _clients(other_session, region)
    client = _clients(session, region)
    try:
        alias = (client("iam").list_account_aliases()["AccountAliases"] or [""])[0]
    except ClientError:
        alias = ""
    partition = who["Arn"].split(":")[1]
    return Place(who["Account"], region, partition, who["Arn"], alias, client, other_account=other, options=options)


def _clients(session: boto3.Session, region: str) -> Callable[..., Any]:
    made: dict[tuple[str, str], Any] = {}
    lock = threading.Lock()

    def client(service: str, credentials: dict[str, str] | None = None) -> Any:
        key = (service, credentials["AccessKeyId"] if credentials else "")
        with lock:
            if key not in made:
                made[key] = new(service, credentials)
            return made[key]

    def new(service: str, credentials: dict[str, str] | None) -> Any:
        keys = (
            {
                "aws_access_key_id": credentials["AccessKeyId"],
                "aws_secret_access_key": credentials["SecretAccessKey"],
                "aws_session_token": credentials["SessionToken"],
            }
            if credentials
            else {}
        )
        # A second try of a conditional request can have another answer than the first one.
        config = Config(retries={"total_max_attempts": 1} if service == "s3" else {"mode": "standard"})
        return session.client(service, region_name=region, config=config, **keys)

    return client


def in_local_cloud(cloud: Any, options: dict[str, str] | None = None) -> Place:
    """`cloud` is a running `localcloud.LocalCloud`."""

    def of(administrator: Any) -> Callable[..., Any]:
        def client(service: str, credentials: dict[str, str] | None = None) -> Any:
            found = cloud.principals.find(credentials["AccessKeyId"]) if credentials else administrator
            return cloud.client(service, credentials=found)

        return client

    return Place(
        cloud.account,
        cloud.region,
        "aws",
        "the local cloud's administrator",
        "",
        of(cloud.admin),
        is_local=True,
        other_account=of(cloud.foreign_admin),
        options=options or {},
    )
