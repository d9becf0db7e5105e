"""Swift source reduced to its code, for gates that look for words."""

from __future__ import annotations

import re


def code_only(text: str) -> str:
    """The text with comments and the contents of string literals blanked; lines and columns stay where they are.

    Code inside an interpolation is kept: `"\\(value!)"` is a force unwrap.
    """
    out: list[str] = []
    position = _code(text, 0, out, until=None)
    assert position == len(text)
    return "".join(out)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _code(text: str, position: int, out: list[str], until: str | None) -> int:
    """Copies code up to the parenthesis that ends an interpolation, or to the end; returns where it stopped."""
    depth = 0
    while position < len(text):
        if text.startswith("//", position):
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            out.append(_blank(text[position:end]))
            position = end
        elif text.startswith("/*", position):
            position = _block_comment(text, position, out)
        elif match := re.compile(r'(#*)("""|")').match(text, position):
            position = _string(text, position, match[1], match[2], out)
        else:
            character = text[position]
            if until and character == "(":
                depth += 1
            elif until and character == ")":
                if depth == 0:
                    return position
                depth -= 1
            out.append(character)
            position += 1
    return position


def _block_comment(text: str, position: int, out: list[str]) -> int:
    start, depth = position, 0
    while position < len(text):
        if text.startswith("/*", position):
            depth, position = depth + 1, position + 2
        elif text.startswith("*/", position):
            depth, position = depth - 1, position + 2
            if depth == 0:
                break
        else:
            position += 1
    out.append(_blank(text[start:position]))
    return position


def _string(text: str, position: int, hashes: str, quotes: str, out: list[str]) -> int:
    out.append(hashes + quotes)
    position += len(hashes + quotes)
    while position < len(text):
        if text.startswith(quotes + hashes, position):
            out.append(quotes + hashes)
            return position + len(quotes + hashes)
        if text.startswith("\\" + hashes + "(", position):
            out.append(" " * (1 + len(hashes)) + "(")
            position = _code(text, position + 2 + len(hashes), out, until=")")
            out.append(text[position : position + 1])
            position += 1
        elif text.startswith("\\" + hashes, position):
            step = len(hashes) + 2
            out.append(_blank(text[position : position + step]))
            position += step
        elif text[position] == "\n" and quotes == '"':
            return position
        else:
            out.append(_blank(text[position]))
            position += 1
    return position
