#!/usr/bin/env python3
"""Computes what names a Let's Encrypt generation, its account and its order book: see make_vectors.py.

    make_lets_encrypt_vectors.py > lets-encrypt-vectors.json
"""

from __future__ import annotations

import json

from make_vectors import ALGORITHM, ALTERNATIVE_NAME, BUCKET, GUID, LOGICAL_ID, NAME, ROTATION, STACK_ID, digest

DIRECTORY, CONTACT, PROFILE, CHAIN, IMPORT, IMPORT_REGION, IMPORT_PATH = range(10, 17)
BASE = {
    "stack_id": f"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/{GUID}",
    "stack_guid": GUID,
    "logical_id": "Certificate",
    "app_name": "shop",
    "bucket": "certificates",
    "names": ["shop.example.com"],
    "directory": "https://acme-v02.api.letsencrypt.org/directory",
    "contact": None,
    "key_algorithm": "EC_P256",
    "profile": None,
    "preferred_chain": None,
    "imports": [],
    "import_region": None,
    "import_path": None,
    "rotation": "1",
}
CHANGES = {
    "the defaults with a rotation": {},
    "the defaults without a rotation": {"rotation": None},
    "apex and wildcard": {"names": ["example.com", "*.example.com"]},
    "the same in another order, one of them twice": {"names": ["*.example.com", "example.com", "*.example.com"]},
    "an address": {"names": ["2001:db8::1", "192.0.2.1"]},
    "staging": {"directory": "https://acme-staging-v02.api.letsencrypt.org/directory"},
    "a contact": {"contact": "ops@example.com"},
    "a profile and a chain": {"profile": "shortlived", "preferred_chain": "ISRG Root X2"},
    "a copy for CloudFront": {"imports": ["ACM"], "import_region": "us-east-1"},
    "copies in both": {"imports": ["IAM", "ACM"], "import_path": "/cloudfront/shop/"},
}


def vector(name: str, changes: dict) -> dict:
    v = {"name": name, **BASE, **changes}
    names = [(ALTERNATIVE_NAME, item) for item in sorted(set(v["names"]), key=str.encode)]

    def given(tag: int, member: str) -> list[tuple[int, str]]:
        return [] if v[member] is None else [(tag, v[member])]

    generation = digest(
        "stackcert/lets-encrypt-generation/1",
        [
            (STACK_ID, v["stack_id"]),
            (LOGICAL_ID, v["logical_id"]),
            (NAME, v["app_name"]),
            (BUCKET, v["bucket"]),
            (DIRECTORY, v["directory"]),
            (ALGORITHM, v["key_algorithm"]),
            *names,
            *given(PROFILE, "profile"),
            *given(CHAIN, "preferred_chain"),
            *((IMPORT, item) for item in sorted(v["imports"])),
            *given(IMPORT_REGION, "import_region"),
            *given(IMPORT_PATH, "import_path"),
            *given(ROTATION, "rotation"),
        ],
    )
    key = f"lets-encrypt/{v['app_name']}/{v['stack_guid']}/{v['logical_id']}/{generation}.json"
    return v | {
        "generation": generation,
        "key": key,
        "physical_id": f"stackcert:1:{v['bucket']}/{key}",
        "account_digest": digest("stackcert/acme-account/1", [(DIRECTORY, v["directory"]), *given(CONTACT, "contact")]),
        "name_set_digest": digest("stackcert/name-set/1", [(DIRECTORY, v["directory"]), *names]),
    }


if __name__ == "__main__":
    print(json.dumps([vector(name, changes) for name, changes in CHANGES.items()], indent=2))
