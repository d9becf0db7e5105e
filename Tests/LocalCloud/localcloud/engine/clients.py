"""boto3 clients for the gateway, kept per credentials: making one costs more than using it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

from localcloud.authz.principals import Credentials

_OPTIONS = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"}, "max_pool_connections": 32}
_KEPT = 64


class Clients:
    """Clients never retry: a fault that a test asked for must be seen as it is."""

    def __init__(self, endpoint: Callable[[], str]):
        self._endpoint = endpoint
        self._session = botocore.session.Session()
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str], Any] = {}  # the one used last is at the end

    def of(self, credentials: Credentials | None, service: str, region: str, **options: Any) -> Any:
        """A client; without credentials its requests are anonymous. `options` are botocore Config's."""
        key = (credentials.access_key_id if credentials else "", service, region)
        with self._lock:
            if not options and key in self._made:
                client = self._made[key] = self._made.pop(key)
                return client
            # S3's presigned addresses would else be of the second signature version.
            signed = {"signature_version": "s3v4"} if service == "s3" else {}
            signed = signed if credentials else {"signature_version": UNSIGNED}
            client = self._session.create_client(
                service,
                region_name=region,
                endpoint_url=self._endpoint(),
                aws_access_key_id=credentials.access_key_id if credentials else None,
                aws_secret_access_key=credentials.secret_access_key if credentials else None,
                aws_session_token=credentials.session_token if credentials else None,
                config=Config(**{**_OPTIONS, **signed, **options}),
            )
            if not options:
                self._made[key] = client
                if len(self._made) > _KEPT:
                    # Each stack operation has a session of its own, and each client keeps connections.
                    self._made.pop(next(iter(self._made))).close()
            return client
