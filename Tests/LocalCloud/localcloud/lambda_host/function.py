"""A function as the host needs it: read from the emulator's Lambda at each invocation."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import threading
import zipfile
from dataclasses import dataclass, field

from moto.awslambda.models import lambda_backends

from localcloud.errors import AwsError


@dataclass(frozen=True)
class Function:
    """One published state of a function: what a sandbox must be started with, and the settings of its invocations."""

    name: str
    arn: str
    version: str
    account: str
    region: str
    role: str
    handler: str
    timeout: float
    memory: int
    code: bytes = field(repr=False)
    code_digest: str
    environment: tuple[tuple[str, str], ...]
    log_group: str
    dead_letter: str | None
    max_retries: int
    max_age: int
    on_failure: str | None

    @property
    def sandbox_key(self) -> tuple:
        settings = (self.role, self.handler, self.memory, self.timeout, self.environment, self.log_group)
        return (self.arn, self.version, self.code_digest, *settings)

    def log_stream(self, sandbox: str) -> str:
        """Where a sandbox writes. In a log group of the function's own choice the stream names the function too, as
        several may write there (Lambda Developer Guide, "Configuring CloudWatch log groups"). AWS does not document
        what a function does that chooses the group which it has by default: here nothing changes."""
        name = "" if self.log_group == default_log_group(self.name) else self.name
        return f"2020/01/01/{name}[{self.version}]{sandbox}"


def default_log_group(name: str) -> str:
    return f"/aws/lambda/{name}"


def find_function(name_or_arn: str, account: str, region: str, qualifier: str | None = None) -> Function:
    """The function with this name or ARN, of the version or alias that either the ARN's last part or `qualifier` names;
    ResourceNotFoundException (404) when there is none."""
    if name_or_arn.startswith("arn:"):
        parts = name_or_arn.split(":")
        region, account, name_or_arn = parts[3], parts[4], parts[6]
        qualifier = parts[7] if len(parts) > 7 else qualifier
    backend = lambda_backends[account][region]
    try:
        found = backend.get_function(name_or_arn, qualifier)
    except Exception as error:  # the emulator raises its own types here, all meaning the same
        arn = f"arn:aws:lambda:{region}:{account}:function:{name_or_arn}"
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404) from error
    settings = found.event_invoke_config[-1].response() if found.event_invoke_config else {}
    retries, age = settings.get("MaximumRetryAttempts"), settings.get("MaximumEventAgeInSeconds")
    variables = {key: str(value) for key, value in (found.environment_vars or {}).items()}
    letter = (getattr(found, "dead_letter_config", None) or {}).get("TargetArn")
    return Function(
        name=found.function_name,
        arn=f"arn:aws:lambda:{region}:{account}:function:{found.function_name}",
        version=str(found.version),
        account=account,
        region=region,
        role=found.role,
        handler=found.handler or "",
        timeout=float(found.timeout or 3),
        memory=int(found.memory_size or 128),
        code=found.code_bytes,
        code_digest=hashlib.sha256(found.code_bytes).hexdigest(),
        environment=tuple(sorted(variables.items())),
        log_group=found.logs_group_name,
        dead_letter=letter,
        max_retries=2 if retries is None else int(retries),
        max_age=21600 if age is None else int(age),
        on_failure=((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination"),
    )


class CodeCache:
    """Unpacks each zip once. Sandboxes share the unpacked files, which on AWS are read-only too."""

    def __init__(self, directory: str):
        self._directory = directory
        self._lock = threading.Lock()

    def unpacked(self, function: Function) -> str:
        target = os.path.join(self._directory, "code-" + function.code_digest[:24])
        with self._lock:
            if os.path.isdir(target):
                return target
            partial = target + ".partial"
            shutil.rmtree(partial, ignore_errors=True)
            with zipfile.ZipFile(io.BytesIO(function.code)) as archive:
                for entry in archive.infolist():
                    path = archive.extract(entry, partial)
                    mode = entry.external_attr >> 16
                    if mode and not entry.is_dir():
                        # AWS keeps the modes in the zip: a bootstrap packed without its x bit fails there and here.
                        os.chmod(path, mode & 0o777)
            os.rename(partial, target)
        return target


def failure(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
