"""Programs of others that read what the provider issues.

A judge returns a complaint for each document that it refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from judges.document import Document
from judges.golang import go
from judges.libraries import cryptography_library, pkilint
from judges.programs import certtool, keytool, nss, openssl
from judges.server import curl

# By document name; empty when nothing is refused. The folder is the judge's own to work in.
Judge = Callable[[list[Document], Path], dict[str, str]]

OF_CERTIFICATES: dict[str, Judge] = {
    "openssl": openssl,
    "certtool": certtool,
    "nss": nss,
    "keytool": keytool,
    "go": go,
    "curl": curl,
    "pkilint": pkilint,
    "cryptography": cryptography_library,
}
# The others have no reader of requests.
OF_REQUESTS: dict[str, Judge] = {
    "openssl": openssl,
    "certtool": certtool,
    "keytool": keytool,
    "go": go,
    "cryptography": cryptography_library,
}
