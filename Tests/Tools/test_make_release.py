"""A release: what it holds, what its notes and its bill of materials say, and when it is refused."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "Tools"))
import make_release  # noqa: E402
import make_sbom  # noqa: E402

CHANGELOG = """# Changelog

Words.

## 2.0.0 (not released yet)

- What comes.

## 1.0.0 (2026-11-27)

- What came.
  Effect on live stacks: none.

## 0.9.0 (2026-01-01)

- What was.
"""


@pytest.fixture
def dist(tmp_path):
    folder = tmp_path / "dist"
    (folder / "templates").mkdir(parents=True)
    (folder / "templates" / "provider.yml").write_text("Resources: {}\n")
    for name in ("stackcert-x86_64.zip", "stackcert-lambda-x86_64.zip"):
        (folder / name).write_bytes(name.encode())
    return folder


def test_the_notes_are_the_versions_own():
    assert make_release.changes(CHANGELOG, "1.0.0", draft=False) == "- What came.\n  Effect on live stacks: none."
    assert make_release.changes(CHANGELOG, "0.9.0", draft=False) == "- What was."


def test_a_version_without_a_date_is_a_draft_at_most():
    assert make_release.changes(CHANGELOG, "2.0.0", draft=True) == "- What comes."
    with pytest.raises(make_release.Refused, match="gives 2.0.0 no date"):
        make_release.changes(CHANGELOG, "2.0.0", draft=False)


def test_a_version_that_the_changelog_does_not_know_is_refused():
    with pytest.raises(make_release.Refused, match="has no section `## 3.0.0`"):
        make_release.changes(CHANGELOG, "3.0.0", draft=True)


def test_the_notes_say_what_is_unproven():
    proven = [{"answer": None}, {"answer": "yes"}]
    text = make_release.notes("1.0.0", "- What came.", ["x86_64"], proven)
    assert text.startswith("# StackCert 1.0.0\n\n- What came.\n")
    assert "- arm64: unproven." in text
    assert "1 of 2 claims have an answer" in text
    assert "unproven" not in make_release.notes("1.0.0", "", ["x86_64", "arm64"], proven)


def run(*arguments):
    command = [sys.executable, ROOT / "Tools" / "make_release.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_draft_holds_everything_and_its_hashes(dist, tmp_path):
    out = tmp_path / "release"
    (out / "old").mkdir(parents=True)
    result = run("--draft", dist, out)
    assert result.returncode == 0, result.stderr
    version = make_release.version((ROOT / "Sources/Diagnostics/ProductVersion.swift").read_text())
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    bill = f"stackcert-{version}.spdx.json"
    assert names == {
        "stackcert-x86_64.zip", "stackcert-lambda-x86_64.zip", "templates/provider.yml", bill, "RELEASE_NOTES.md",
        "SHA256SUMS",
    }  # fmt: skip
    assert not (out / "old").exists()
    assert subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=out).returncode == 0
    assert len((out / "SHA256SUMS").read_text().splitlines()) == len(names) - 1
    packages = json.loads((out / bill).read_text())["packages"]
    [lambda_zip] = [each for each in packages if each["name"] == "stackcert-lambda-x86_64.zip"]
    digest = hashlib.sha256(b"stackcert-lambda-x86_64.zip").hexdigest()
    assert lambda_zip["checksums"] == [{"algorithm": "SHA256", "checksumValue": digest}]


def test_a_release_without_zips_is_refused(tmp_path):
    result = run("--draft", tmp_path, tmp_path / "release")
    assert result.returncode == 1
    assert "`make package` builds them" in result.stderr
    assert not (tmp_path / "release").exists()


# The bill of materials.


@pytest.fixture
def bill():
    resolved = json.loads((ROOT / "Package.resolved").read_text())
    known = make_sbom.works((ROOT / "NOTICE").read_text())
    return make_sbom.document("1.0.0", resolved, known, {"a.zip": "00" * 32}, "2026-11-27T12:00:00Z")


def test_the_bill_has_every_pin_with_address_version_revision_and_licence(bill):
    pins = json.loads((ROOT / "Package.resolved").read_text())["pins"]
    packages = {each["name"]: each for each in bill["packages"]}
    assert len(pins) > 15
    manifest = (ROOT / "Package.swift").read_text()
    for pin in pins:
        found = packages[pin["identity"]]
        assert found["versionInfo"] == pin["state"]["version"]
        assert found["downloadLocation"] == f"git+{pin['location']}@{pin['state']['revision']}"
        # What ends up in a program is named in the manifest. The rest is resolved, and not built into anything.
        if f'"{pin["location"]}"' in manifest:
            assert found["licenseDeclared"] in ("Apache-2.0", make_sbom.WITH_EXCEPTION), pin["identity"]
            assert found["copyrightText"].startswith("Copyright 20")
    assert packages["swift-system"]["licenseDeclared"] == "Apache-2.0 WITH Swift-exception"
    assert packages["swift-nio"]["licenseDeclared"] == "Apache-2.0"


def test_a_package_that_notice_does_not_know_has_no_licence():
    pin = {
        "identity": "new",
        "location": "https://github.com/x/new.git",
        "state": {"revision": "ab", "version": "1.0.0"},
    }
    made = make_sbom.document("1.0.0", {"pins": [pin]}, {}, {}, "2026-11-27T12:00:00Z")
    assert [each["licenseDeclared"] for each in made["packages"]] == ["Apache-2.0", "NOASSERTION"]


def test_the_bill_has_what_spdx_demands(bill):
    """Chapters 6, 7 and 11 of the specification. Its own validator (spdx-tools) is not among the tests' packages."""
    assert bill["spdxVersion"] == "SPDX-2.3" and bill["dataLicense"] == "CC0-1.0"
    assert bill["SPDXID"] == "SPDXRef-DOCUMENT"
    assert re.fullmatch(r"https://[^#]+", bill["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["creationInfo"]["created"])
    assert all(re.match(r"(Tool|Person|Organization): ", each) for each in bill["creationInfo"]["creators"])
    identifiers = [each["SPDXID"] for each in bill["packages"]]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each) for each in identifiers)
    for each in bill["packages"]:
        assert each["name"] and each["downloadLocation"] and each["filesAnalyzed"] is False
    ends = {r[end] for r in bill["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
    assert ends == {"SPDXRef-DOCUMENT", *identifiers}
    described = [r["relatedSpdxElement"] for r in bill["relationships"] if r["relationshipType"] == "DESCRIBES"]
    assert described == ["SPDXRef-StackCert"]


def test_the_same_release_has_the_same_bill(bill):
    resolved = json.loads((ROOT / "Package.resolved").read_text())
    resolved["pins"].reverse()
    known = make_sbom.works((ROOT / "NOTICE").read_text())
    again = make_sbom.document("1.0.0", resolved, known, {"a.zip": "00" * 32}, "2026-11-27T12:00:00Z")
    assert again == bill
