"""A headless Chromium: what a page becomes in it, as elements and as pixels."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from PIL import Image

SIZE = (1400, 800)
# Chromium's own services would be asked for updates; no test needs them.
_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")


def _run(profile: Path, page: Path, *options: str) -> str:
    command = ["chromium", *_OPTIONS, f"--user-data-dir={profile}", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dom(page: Path, folder: Path) -> Element:
    """The document after the browser has read it, and has run what scripts it would run."""
    reader = _Reader()
    reader.feed(_run(folder / "profile", page, "--dump-dom"))
    return reader.root


def screenshot(page: Path, folder: Path, height: int = SIZE[1]) -> Image.Image:
    file = folder / "screenshot.png"
    _run(folder / "profile", page, f"--screenshot={file}", f"--window-size={SIZE[0]},{height}")
    assert file.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    return Image.open(file).convert("RGB")


@dataclass
class Element:
    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, name: str, **attributes: str) -> list[Element]:
        """Elements below this one. `data_state="ok"` asks for an attribute `data-state`, `class_` for `class`."""
        wanted = {key.strip("_").replace("_", "-"): value for key, value in attributes.items()}
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if child.name == name and wanted.items() <= child.attributes.items():
                    found.append(child)
                found += child.all(name, **attributes)
        return found

    def one(self, name: str, **attributes: str) -> Element:
        (found,) = self.all(name, **attributes)
        return found


class _Reader(HTMLParser):
    _VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attributes})
        self._open[-1].children.append(element)
        if tag not in self._VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)
