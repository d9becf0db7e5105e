"""Go's crypto/x509, by a small program that reads all documents in one run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from support.paths import REPOSITORY

from judges.document import Document
from judges.programs import ENVIRONMENT, complaint

SOURCE = Path(__file__).parent / "judge.go"
CACHE = REPOSITORY / ".cache" / "judges"


def go(documents: list[Document], folder: Path) -> dict[str, str]:
    asked = [
        {
            "name": document.name,
            "file": str(document.pem),
            "domain": document.case.host,
            "now": int(document.moment.timestamp()),
        }
        for document in documents
    ]
    listing = folder / "documents.json"
    listing.write_text(json.dumps(asked))
    CACHE.mkdir(parents=True, exist_ok=True)
    environment = ENVIRONMENT | {
        "GOCACHE": str(CACHE / "go-build"),
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GO111MODULE": "off",
    }
    # Compiled once: Go looks into its cache by the contents.
    done = subprocess.run(
        ["go", "run", str(SOURCE), str(listing)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, complaint(done)
    return json.loads(done.stdout)
