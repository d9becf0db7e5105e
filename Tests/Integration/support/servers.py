"""The files that a server's boot script writes."""

from __future__ import annotations

import re
import textwrap


def files_written(script: str) -> dict[str, str]:
    """Path to content of every file that a script writes with `cat > PATH <<'WORD'`."""
    found = re.finditer(r"^cat > (\S+) <<'(\w+)'\n(.*?)^\2$", script, re.MULTILINE | re.DOTALL)
    return {match[1]: textwrap.dedent(match[3]) for match in found}
