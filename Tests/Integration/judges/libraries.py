"""Judges that are libraries: pkilint, and `cryptography`, which also compares the names with those asked for."""

from __future__ import annotations

import re
from pathlib import Path

import cryptography.exceptions
from cryptography import x509
from pkilint import loader
from pkilint.pkix import certificate, extension
from pkilint.pkix import name as pkix_name
from pkilint.validation import ValidationFindingSeverity

from judges.document import Document
from judges.programs import refusals

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
NAME = re.compile(rf'Invalid domain name syntax: "(\*\.)?{_LABEL}(\.{_LABEL})*"')


def pkilint(documents: list[Document], _: Path) -> dict[str, str]:
    """All that RFC 5280 demands; its advice (warnings and notices) is not counted.

    Names are judged by the characters of RFC 1034, section 3.5, and may begin with a wildcard (RFC 6125): pkilint
    would have every name end in a top-level domain of today.
    """
    rules = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(pkix_name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )

    def judge(document: Document) -> str:
        loaded = loader.RFC5280CertificateDocumentLoader().load_pem_document(document.pem.read_text(), document.name)
        return "; ".join(
            f"{found.finding.code} {found.message or ''}".strip()
            for result in rules.validate(loaded.root)
            for found in result.finding_descriptions
            if found.finding.severity <= ValidationFindingSeverity.ERROR and not NAME.fullmatch(found.message or "")
        )

    return refusals({document.name: judge(document) for document in documents})


def cryptography_library(documents: list[Document], _: Path) -> dict[str, str]:
    def judge(document: Document) -> str:
        try:
            read = _request(document) if document.is_request else _certificate(document)
        except (ValueError, TypeError, cryptography.exceptions.InvalidSignature) as error:
            return repr(error)
        names = [str(name.value) for name in read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value]
        wanted = document.case.expected_names()
        return "" if sorted(names) == wanted else f"names {sorted(names)} instead of {wanted}"

    return refusals({document.name: judge(document) for document in documents})


def _request(document: Document) -> x509.CertificateSigningRequest:
    request = x509.load_pem_x509_csr(document.pem.read_bytes())
    if not request.is_signature_valid:
        raise ValueError("signature")
    return request


def _certificate(document: Document) -> x509.Certificate:
    read = x509.load_pem_x509_certificate(document.pem.read_bytes())
    read.verify_directly_issued_by(read)
    if not list(read.subject) or not list(read.issuer):
        raise ValueError("subject or issuer is empty")
    if not read.not_valid_before_utc <= document.moment <= read.not_valid_after_utc:
        raise ValueError("dates")
    return read
