"""Eight programs of others read what the provider issues, and refuse what is wrong with it."""

from __future__ import annotations

import json
import os
from base64 import encodebytes
from dataclasses import asdict
from pathlib import Path

import judges
import pytest
from judges import cases, controls
from judges.document import Case, Document
from support.swift_tests import run

# More of them by `make judges`.
ALL = os.environ.get("STACKCERT_JUDGES") == "all"


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """Made by the provider's own code, at the time that each case names."""
    folder = tmp_path_factory.mktemp("judged")
    asked: list[Case] = cases.product() if ALL else cases.fixed()
    (folder / "cases.json").write_text(json.dumps([asdict(case) for case in asked]))
    run("JudgedDocumentsTests", {"STACKCERT_JUDGED_FOLDER": str(folder)}, timeout=1800 if ALL else 120)
    documents = [Document(case, folder) for case in asked]
    for document in documents:
        if document.is_request:
            text = encodebytes((folder / f"{document.name}.der").read_bytes()).decode()
            document.pem.write_text(f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n")
    return documents


def test_the_cases_are_as_many_as_they_were() -> None:
    assert len(cases.fixed()) == 40
    assert len(cases.product()) == 410
    assert [len(cases.domain(length)) for length in range(1, 254)] == list(range(1, 254))


@pytest.mark.timeout(3600 if ALL else 180)
@pytest.mark.contract(31)
@pytest.mark.parametrize("judge", judges.OF_CERTIFICATES)
def test_certificates_are_read(judge: str, issued: list[Document], tmp_path: Path) -> None:
    certificates = [document for document in issued if not document.is_request]
    assert judges.OF_CERTIFICATES[judge](certificates, tmp_path) == {}


@pytest.mark.timeout(3600 if ALL else 180)
@pytest.mark.parametrize("judge", judges.OF_REQUESTS)
def test_requests_are_read(judge: str, issued: list[Document], tmp_path: Path) -> None:
    requests = [document for document in issued if document.is_request]
    assert judges.OF_REQUESTS[judge](requests, tmp_path) == {}


@pytest.mark.parametrize(
    ("judge", "defect"),
    [
        *((judge, "no-issuer") for judge in ("curl", "keytool", "certtool", "pkilint", "cryptography")),
        *((judge, "forged") for judge in ("openssl", "certtool", "go", "cryptography")),
        *((judge, "expired") for judge in ("openssl", "certtool", "nss", "go", "curl", "cryptography")),
        ("go", "mapped"),
    ],
)
def test_a_certificate_with_a_defect_is_refused(judge: str, defect: str, tmp_path: Path) -> None:
    assert _refused(judges.OF_CERTIFICATES[judge], tmp_path, defect, controls.CERTIFICATE)


@pytest.mark.parametrize("judge", judges.OF_REQUESTS)
def test_a_forged_request_is_refused(judge: str, tmp_path: Path) -> None:
    assert _refused(judges.OF_REQUESTS[judge], tmp_path, "forged", controls.REQUEST)


def _refused(judge: judges.Judge, folder: Path, defect: str, case: Case) -> bool:
    """The same document without the defect is not refused: it is the defect that the judge sees."""
    complaints = []
    for kind in ("none", defect):
        (folder / kind).mkdir()
        (folder / f"{kind}-work").mkdir()
        document = controls.write(folder / kind, kind, case)
        complaints.append(judge([document], folder / f"{kind}-work"))
    assert complaints[0] == {}
    return list(complaints[1]) == [case.name]
