#!/usr/bin/env python3
"""Computes what names a generation, from the written definition alone and not from the Swift code.

    make_vectors.py > vectors.json

A digest is SHA-256 over a purpose with its version, a zero byte, and fields: one byte of tag, four of length
(big-endian), then the text in UTF-8. Keys in users' buckets and policies hang on it: vectors.json may grow, and what is
in it may never change.
"""

from __future__ import annotations

import hashlib
import json
import struct

STACK_ID, LOGICAL_ID, DOMAIN, NAME, BUCKET, ALGORITHM, DAYS, ALTERNATIVE_NAME, ROTATION = range(1, 10)
GUID = "6f0c7a10-1f2e-11f0-9c1d-0a58a9feac02"
BASE = {
    "stack_id": f"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/{GUID}",
    "stack_guid": GUID,
    "logical_id": "ElbBackendCertificate",
    "app_domain": "shop.example.com",
    "app_name": "shop",
    "bucket": "certificates",
    "key_algorithm": "RSA_2048",
    "validity_days": 365,
    "alternative_names": [],
    "rotation": "1",
}
CHANGES = {
    "the defaults with a rotation": {},
    "the defaults without a rotation": {"rotation": None, "validity_days": 3650},
    "another rotation": {"rotation": "2"},
    "a rotation that is not ASCII": {"rotation": "Frühling 🌱"},
    "another stack of the same name": {
        "stack_id": BASE["stack_id"].replace("6f0c", "7f0c"),
        "stack_guid": GUID.replace("6f0c", "7f0c"),
    },
    "another logical id": {"logical_id": "Other"},
    "another domain": {"app_domain": "xn--mnchen-3ya.example"},
    "another application": {"app_name": "shop-2"},
    "another bucket": {"bucket": "certificates-2"},
    "another algorithm": {"key_algorithm": "EC_P384"},
    "another lifetime": {"validity_days": 30},
    "more names": {"alternative_names": ["www.example.com", "10.1.2.3", "api.example.com", "www.example.com"]},
    "names that run together, one way": {"alternative_names": ["ab.example", "c.example"]},
    "names that run together, another way": {"alternative_names": ["a.example", "bc.example"]},
    "the longest names": {
        "app_domain": ".".join(["d" * 61] * 4),
        "app_name": "n" * 128,
        "bucket": "b" * 63,
        "logical_id": "L" * 255,
        "rotation": "r" * 1024,
    },
}


def digest(purpose: str, fields: list[tuple[int, str]]) -> str:
    form = purpose.encode() + b"\0"
    for tag, text in fields:
        value = text.encode()
        form += struct.pack(">BI", tag, len(value)) + value
    return hashlib.sha256(form).hexdigest()


def vector(name: str, changes: dict) -> dict:
    v = {"name": name, **BASE, **changes}
    owner = [(STACK_ID, v["stack_id"]), (LOGICAL_ID, v["logical_id"])]
    definition = [
        (DOMAIN, v["app_domain"]),
        (NAME, v["app_name"]),
        (BUCKET, v["bucket"]),
        (ALGORITHM, v["key_algorithm"]),
        (DAYS, str(v["validity_days"])),
        *((ALTERNATIVE_NAME, item) for item in sorted(set(v["alternative_names"]), key=str.encode)),
    ]
    if v["rotation"] is not None:
        definition.append((ROTATION, v["rotation"]))
    generation = digest("stackcert/generation/1", owner + definition)
    place = f"{v['stack_guid']}/{v['logical_id']}"
    prefix = f"backend-certificate/{v['app_name']}/{place}/"
    return v | {
        "owner_digest": digest("stackcert/owner/1", owner),
        "generation": generation,
        "prefix": prefix,
        "key": f"{prefix}{generation}.json",
        "stable_key": f"backend-certificate-{v['app_name']}.json",
        "physical_id": f"stackcert:1:{v['bucket']}/{prefix}{generation}.json",
        "record_key": f"records/{place}/{generation}.json",
        "tombstone_key": f"tombstones/{place}/{generation}.json",
        "adoption_key": f"records/{place}/adopted.json",
    }


if __name__ == "__main__":
    print(json.dumps([vector(name, changes) for name, changes in CHANGES.items()], indent=2, ensure_ascii=False))
