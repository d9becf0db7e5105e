"""The bill of materials of a release, in SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/): what Package.resolved pins,
with the licences that NOTICE names."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

WITH_EXCEPTION = "Apache-2.0 WITH Swift-exception"
# How NOTICE heads its sections, and SPDX's names for it.
LICENCES = {
    "Under the Apache License, Version 2.0": "Apache-2.0",
    "Under the Apache License, Version 2.0, with the Swift Runtime Library Exception": WITH_EXCEPTION,
}
UNKNOWN = "NOASSERTION"
ROOT = "SPDXRef-StackCert"


@dataclass(frozen=True)
class Work:
    """What NOTICE says of a work."""

    licence: str
    copyright: str


def works(notice: str) -> dict[str, Work]:
    """By address without `https://`."""
    found: dict[str, Work] = {}
    licence = ""
    address = ""
    for line in notice.splitlines():
        if line.startswith("Under the "):
            licence, address = LICENCES.get(line, UNKNOWN), ""
        elif match := re.search(r"https://(github\.com/\S+)$", line):
            address = match[1]
        elif address and line.strip().startswith("Copyright"):
            found.setdefault(address, Work(licence, line.strip()))
    return found


def _package(pin: dict[str, Any], known: dict[str, Work]) -> dict[str, Any]:
    address = pin["location"].removeprefix("https://").removesuffix(".git")
    work = known.get(address, Work(UNKNOWN, UNKNOWN))
    state = pin["state"]
    version = state.get("version") or state["revision"]
    return {
        "SPDXID": f"SPDXRef-Package-{pin['identity']}",
        "name": pin["identity"],
        "versionInfo": version,
        "downloadLocation": f"git+{pin['location']}@{state['revision']}",
        "filesAnalyzed": False,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": work.licence,
        "copyrightText": work.copyright,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:swift/{address}@{version}",
            }
        ],
    }


def document(
    version: str, resolved: dict[str, Any], known: dict[str, Work], zips: dict[str, str], created: str
) -> dict[str, Any]:
    """`resolved` is Package.resolved, `zips` has the SHA-256 of each, `created` is a time in UTC. The same input gives
    the same document."""
    packages = [_package(pin, known) for pin in sorted(resolved["pins"], key=lambda pin: pin["identity"])]
    root = {
        "SPDXID": ROOT,
        "name": "StackCert",
        "versionInfo": version,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": False,
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "Copyright 2026 the StackCert authors",
        "primaryPackagePurpose": "APPLICATION",
    }
    built = [
        {
            "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name),
            "name": name,
            "versionInfo": version,
            "packageFileName": name,
            "downloadLocation": UNKNOWN,
            "filesAnalyzed": False,
            "licenseConcluded": UNKNOWN,
            "licenseDeclared": "Apache-2.0",
            "copyrightText": UNKNOWN,
            "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
            "primaryPackagePurpose": "ARCHIVE",
        }
        for name, digest in sorted(zips.items())
    ]

    def relation(one: str, kind: str, other: str) -> dict[str, str]:
        return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}

    identity = uuid.uuid5(
        uuid.NAMESPACE_URL, "\n".join([version, created, *(f"{n} {d}" for n, d in sorted(zips.items()))])
    )
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"stackcert-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/stackcert-{version}-{identity}",
        "creationInfo": {"created": created, "creators": [f"Tool: stackcert-make_sbom-{version}"]},
        "packages": [root, *built, *packages],
        "relationships": [
            relation("SPDXRef-DOCUMENT", "DESCRIBES", ROOT),
            *(relation(each["SPDXID"], "GENERATED_FROM", ROOT) for each in built),
            *(relation(ROOT, "DEPENDS_ON", each["SPDXID"]) for each in packages),
        ],
    }
