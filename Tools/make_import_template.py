#!/usr/bin/env python3
"""Writes the template with which a new stack takes over what an earlier installation of provider.yml left behind.

    make_import_template.py provider.yml [RESOURCE...] > provider-import.yml

CloudFormation imports resources into a stack that gets nothing else at the same time. What this prints is therefore the
part of provider.yml that outlives its stack, or the named resources of it, with the parameters and conditions that they
need. It has no outputs: an import may not add any. In the place of what does not exist yet stands a pattern (for the
roles) or a parameter (for the bucket). The update to provider.yml that follows sees other policies, and writes them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from publish_templates import indentation, published

RETAINED = ("CertificateKey", "CertificateBucket", "CertificateBucketPolicy", "StateBucket", "StateBucketPolicy")
DESCRIPTION = """\
  StackCert provider, what was retained. The first step of an installation over the buckets and the key of an earlier
  one: see docs/runbook.md. Import with it, then update the stack to provider.yml.
"""
_ARN = "!Sub arn:${AWS::Partition}:"
_ROLE = _ARN + "iam::${AWS::AccountId}:role/${AWS::StackName}-"
STAND_INS = {
    "!GetAtt FunctionRole.Arn": _ROLE + "FunctionRole-*",
    "!GetAtt RenewalRole.Arn": _ROLE + "RenewalRole-*",
    "!GetAtt CertificateKey.Arn": _ARN + "kms:${AWS::Region}:${AWS::AccountId}:key/*",
    "!Ref CertificateBucket,": "!Ref CertificateBucketName,",
}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def sections(text: str) -> dict[str, str]:
    """Each top-level section's lines, without its own first line."""
    parts = re.split(r"^(\w+):.*\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(section: str) -> dict[str, str]:
    """What a section has on its first level, by name."""
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines(keepends=True):
        if indentation(line) == 2:
            name = line.strip().split(":")[0]
        found[name] = found.get(name, "") + line
    return found


def needed(names: dict[str, str], text: str) -> str:
    """Those of the entries that the text names."""
    mentioned = set(NAME.findall(text))
    return "".join(body for name, body in names.items() if name in mentioned)


def import_template(text: str, wanted: tuple[str, ...] = RETAINED) -> str:
    parts = sections(published(text))
    resources = entries(parts["Resources"])
    kept = "".join(resources[name] for name in wanted)
    for reference, stand_in in STAND_INS.items():
        if NAME.findall(reference)[1] not in wanted:
            kept = kept.replace(reference, stand_in)
    conditions = needed(entries(parts["Conditions"]), kept)
    parameters = needed(entries(parts["Parameters"]), kept + conditions)
    return (
        f"AWSTemplateFormatVersion: '2010-09-09'\nDescription: >-\n{DESCRIPTION}"
        f"Parameters:\n{parameters}Conditions:\n{conditions}Resources:\n{kept}"
    )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print(import_template(Path(sys.argv[1]).read_text(), tuple(sys.argv[2:]) or RETAINED), end="")
