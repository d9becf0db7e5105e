"""Judges that are commands: OpenSSL, GnuTLS' certtool, NSS' certutil, Java's keytool."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from judges.document import Document

# `faketime` reads the time that it is given in the local time zone.
ENVIRONMENT = os.environ | {"TZ": "UTC", "LC_ALL": "C"}


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    # A command that is missing fails the test: FileNotFoundError, and 127 behind faketime.
    return subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, errors="replace", timeout=60, check=False
    )


def complaint(done: subprocess.CompletedProcess[str], *wanted: str) -> str:
    """Empty when the command ended well and printed all that is wanted."""
    shown = (done.stdout + done.stderr).strip()
    missing = [text for text in wanted if text not in shown]
    return "" if done.returncode == 0 and not missing else f"exit {done.returncode}, without {missing}: {shown[-600:]}"


def refusals(complaints: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in complaints.items() if text}


def openssl(documents: list[Document], _: Path) -> dict[str, str]:
    def judge(document: Document) -> str:
        if document.is_request:
            return complaint(run("openssl", "req", "-verify", "-noout", "-in", document.pem), "verify OK")
        at = ["-attime", str(int(document.moment.timestamp()))]
        host = ["-verify_hostname", document.case.host]
        trust = ["-x509_strict", "-check_ss_sig", "-purpose", "sslserver", "-CAfile", document.pem]
        return complaint(run("openssl", "verify", *trust, *at, *host, document.pem), ": OK")

    return refusals({document.name: judge(document) for document in documents})


# certtool takes no certificate for an issuer that is not a CA, not even one that signed itself and is trusted.
ONLY_NO_CA = (
    "Chain verification output: Not verified. The certificate is NOT trusted. The certificate issuer is not a CA. "
    "The certificate chain violates the signer's constraints. \n"
)


def certtool(documents: list[Document], _: Path) -> dict[str, str]:
    def judge(document: Document) -> str:
        if document.is_request:
            return complaint(run("certtool", "--crq-info", "--infile", document.pem), "Self signature: verified")
        trust = ["--load-ca-certificate", document.pem, "--verify-hostname", document.case.host]
        command = [*document.at_its_time(), "certtool", "--verify", *trust, "--infile", document.pem]
        done = run(*command)
        # Whatever else it minds, dates, name or signature, it says in a further sentence.
        return "" if ONLY_NO_CA in done.stdout else f"exit {done.returncode}: {(done.stdout + done.stderr)[-600:]}"

    return refusals({document.name: judge(document) for document in documents})


def nss(documents: list[Document], folder: Path) -> dict[str, str]:
    """Each as a trusted peer, as Firefox keeps an exception for a server that signed its own certificate."""

    def judge(document: Document) -> str:
        # A database each: NSS takes two certificates with one issuer and serial number for one.
        database = folder / document.name
        database.mkdir()
        prepared = run("certutil", "-N", "--empty-password", "-d", database)
        added = run("certutil", "-A", "-d", database, "-n", "judged", "-t", "P,,", "-i", document.pem)
        # Its own -b takes years from 1950 to 2049 only.
        command = [*document.at_its_time(), "certutil", "-V", "-d", database, "-n", "judged", "-u", "V", "-e"]
        verified = run(*command)
        return complaint(prepared) or complaint(added) or complaint(verified, "certificate is valid")

    return refusals({document.name: judge(document) for document in documents})


def keytool(documents: list[Document], folder: Path) -> dict[str, str]:
    """One start of Java reads all certificates; only if it refuses, each is read alone."""
    command = ["keytool", "-J-XX:TieredStopAtLevel=1", "-J-Duser.language=en"]
    requests = [document for document in documents if document.is_request]
    certificates = [document for document in documents if not document.is_request]
    found = {
        document.name: complaint(run(*command, "-printcertreq", "-file", document.pem), "PKCS #10 Certificate Request")
        for document in requests
    }

    def judge(some: list[Document]) -> str:
        file = folder / "all.pem"
        file.write_text("".join(document.pem.read_text() for document in some))
        done = run(*command, "-printcert", "-file", file)
        read = len(re.findall(r"^Issuer: CN=", done.stdout, re.MULTILINE))
        return complaint(done) or ("" if read == len(some) else f"{read} of {len(some)} read: {done.stdout[-600:]}")

    if certificates and judge(certificates):
        found |= {document.name: judge([document]) for document in certificates}
        assert refusals(found), "keytool refuses the certificates together, and each one alone it does not"
    return refusals(found)
