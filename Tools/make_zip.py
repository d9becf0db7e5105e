#!/usr/bin/env python3
"""Writes a zip that depends on its members' names, bytes and order alone.

    make_zip.py ZIP MEMBER=FILE[:MODE] ...

No clock, no user, no file mode of this machine gets in; MODE is octal (755 unless given). zlib's best level: another
build of zlib may deflate differently, so the sha256 that is promised is one per machine image, like the compiler's.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

# The oldest that the format can say.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
UNIX = 3


def write(target: str, members: list[str]) -> None:
    with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for member in members:
            name, _, source = member.partition("=")
            path, _, mode = source.partition(":")
            entry = zipfile.ZipInfo(name, TIMESTAMP)
            entry.create_system = UNIX
            entry.external_attr = (0o100000 | int(mode or "755", 8)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, Path(path).read_bytes())


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    write(sys.argv[1], sys.argv[2:])
