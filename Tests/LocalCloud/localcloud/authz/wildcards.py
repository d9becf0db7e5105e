"""Matching with `*` and `?` and the variables of policies, as IAM does it: no other character is special."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
# Stand for `*`, `?` and `$` written as `${*}`: literal characters, not wildcards.
_LITERALS = {"*": "\ue000", "?": "\ue001", "$": "\ue002"}


@lru_cache(maxsize=8192)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    for character in pattern:
        parts.append({"*": ".*", "?": "."}.get(character) or re.escape(character))
    text = "".join(parts)
    for plain, marker in _LITERALS.items():
        text = text.replace(re.escape(marker), re.escape(plain))
    return re.compile(text, re.DOTALL)


def without_variables(text: str) -> str:
    """The text with every `$` before a brace taken literally: policies of 2008-10-17 have no variables."""
    return text.replace("${", "${$}{")


def plain(text: str) -> str:
    """The text with literal characters in place of what `expand` made of `${*}`, `${?}` and `${$}`."""
    for character, marker in _LITERALS.items():
        text = text.replace(marker, character)
    return text


def matches(pattern: str, value: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


def matches_arn(pattern: str, value: str) -> bool:
    """`ArnLike`: the six parts are compared one by one, so a `*` never reaches over a colon of the first five."""
    wanted, given = pattern.split(":", 5), value.split(":", 5)
    return len(wanted) == len(given) and all(matches(w, g) for w, g in zip(wanted, given, strict=True))


def expand(text: str, context: Mapping[str, object]) -> str | None:
    """Replace `${aws:…}` by the request's value; None when the request has none, and then nothing matches."""
    if "${" not in text:
        return text
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = match[1].partition(",")
        name = name.strip()
        if name in _LITERALS:
            return _LITERALS[name]
        found = context.get(name.lower())
        if isinstance(found, str):
            return found
        if default:
            return default.strip().strip("'")
        missing = True
        return ""

    expanded = _VARIABLE.sub(value, text)
    return None if missing else expanded
