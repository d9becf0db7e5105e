#!/usr/bin/env python3
"""Refuses a program that Amazon Linux 2023 could not load, and one that drags in ICU or full Foundation.

    check_loader.py [--symbols UNSTRIPPED] [--cross-reference FILE] PROGRAM

Lambda's `provided.al2023` has glibc 2.34 and the C++ runtime of GCC 11. What the loader would only say on AWS, after an
upload, is read from the file here: the libraries that it asks for (`DT_NEEDED`), the versions of the symbols that it
expects in them, and its interpreter. Prints the demands; exits 1 and names symbol and library when one cannot be met.

`--cross-reference` is the linker's `--cref` output; with it the object that asks for the symbol is named too.
`--symbols` is the program before `strip`, searched for ICU and Foundation: both arrive by one careless call, and cost
44 MB.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

INTERPRETERS = {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"}

# Every library is part of the glibc and libgcc packages, which the base image's own tools need, or of libstdc++, which
# AWS's own C++ runtime asks for.
LIBRARIES = {
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
}

# The newest version that Amazon Linux 2023's library defines. A family that is not here (GLIBC_PRIVATE,
# GLIBC_ABI_DT_RELR) is refused.
MAXIMA = {
    "GLIBC": (2, 34),
    "GLIBCXX": (3, 4, 29),
    "CXXABI": (1, 3, 13),
    "GCC": (11, 0),
}

UNWANTED_SYMBOLS = [
    (re.compile(r"^\$s10Foundation(?!Essentials)"), "full Foundation"),
    (re.compile(r"^\$s27FoundationInternationalization"), "FoundationInternationalization"),
    (re.compile(r"^_?CF(String|Array|Dictionary|RunLoop|Locale)[A-Z]\w*$"), "CoreFoundation"),
    (re.compile(r"^(u(cal|dat|num|col|loc|brk|norm2|regex|set)_[a-zA-Z]\w*|icudt\d+\w*)$"), "ICU"),
]


@dataclass(frozen=True)
class Demand:
    """A symbol that the program expects in a library, at a version."""

    symbol: str
    version: str
    library: str


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def parsed_version(text: str) -> tuple[str, tuple[int, ...]] | None:
    """`GLIBC_2.34` as its family and number; None for a name without a number."""
    match = re.fullmatch(r"([A-Z]+)_(\d+(?:\.\d+)*)", text)
    return (match[1], tuple(int(part) for part in match[2].split("."))) if match else None


def is_met(version: str) -> bool:
    parsed = parsed_version(version)
    return parsed is not None and parsed[0] in MAXIMA and parsed[1] <= MAXIMA[parsed[0]]


def interpreter(program: str) -> str | None:
    match = re.search(
        r"Requesting program interpreter: ([^\]]+)\]", run("readelf", "--wide", "--program-headers", program)
    )
    return match[1] if match else None


def needed_libraries(program: str) -> list[str]:
    return re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", run("readelf", "--wide", "--dynamic", program))


def demands(program: str) -> list[Demand]:
    """Every undefined versioned symbol with the library that has to define it."""
    library_of: dict[str, str] = {}
    library = ""
    for line in run("readelf", "--wide", "--version-info", program).splitlines():
        if match := re.search(r"Version: \d+\s+File: (\S+)\s+Cnt:", line):
            library = match[1]
        elif match := re.search(r"Name: (\S+)\s+Flags: .*Version: (\d+)$", line):
            library_of[match[2]] = library
    found = []
    for line in run("readelf", "--wide", "--dyn-syms", program).splitlines():
        if match := re.search(r"\bUND (\S+)@(\S+) \((\d+)\)$", line):
            found.append(Demand(match[1], match[2], library_of.get(match[3], "an unnamed library")))
    return sorted(found, key=lambda demand: (demand.library, demand.version, demand.symbol))


def objects_asking_for(symbol: str, cross_reference: str) -> list[str]:
    """The objects that refer to the symbol in a linker's cross reference table, shortest names first."""
    objects: list[str] = []
    inside = False
    for line in cross_reference.splitlines():
        match = re.fullmatch(r"(\S+)?\s+(\S.*)", line)
        if not match:
            inside = False
        elif match[1]:
            inside = match[1].split("@")[0] == symbol
        if inside and match:
            objects.append(match[2].rsplit("/", 1)[-1])
    return sorted({name for name in objects if ".so" not in name}, key=lambda name: (len(name), name))


def unwanted_symbols(program: str) -> list[str]:
    lines = run("nm", "--defined-only", "--format=posix", program).splitlines()
    if not lines:
        return [f"{program} has no symbols to search: give the program as it was before strip"]
    problems = []
    for pattern, what in UNWANTED_SYMBOLS:
        hits = [name for line in lines if pattern.match(name := line.split(" ", 1)[0])]
        if hits:
            problems.append(f"{what} is linked in: {len(hits)} symbols, the first is {min(hits)}")
    return problems


def check(program: str, cross_reference: str = "") -> tuple[list[str], list[str]]:
    """The demands as printable lines, and the problems."""
    libraries = needed_libraries(program)
    asked = demands(program)
    problems = [
        f"{library} is asked for, which Amazon Linux 2023's base image does not have"
        for library in libraries
        if library not in LIBRARIES
    ]
    loader = interpreter(program)
    if loader is not None and loader not in INTERPRETERS:
        problems.append(f"the interpreter {loader} is not Amazon Linux 2023's")
    for demand in asked:
        if not is_met(demand.version):
            objects = objects_asking_for(demand.symbol, cross_reference)
            by = f", asked for by {', '.join(objects[:3])}" if objects else ""
            problems.append(f"{demand.symbol}@{demand.version} of {demand.library} is too new{by}")
    newest: dict[str, tuple[tuple[int, ...], Demand]] = {}
    for demand in asked:
        if parsed := parsed_version(demand.version):
            family, number = parsed
            if family not in newest or number > newest[family][0]:
                newest[family] = (number, demand)
    report = [f"needs {library}" for library in sorted(libraries)]
    report += [
        f"needs {demand.version} at most of {family}, for {demand.symbol} of {demand.library}"
        for family, (_, demand) in sorted(newest.items())
    ]
    return report, problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--symbols")
    parser.add_argument("--cross-reference")
    options = parser.parse_args()
    cross_reference = Path(options.cross_reference).read_text(errors="replace") if options.cross_reference else ""
    report, problems = check(options.program, cross_reference)
    if options.symbols:
        problems += unwanted_symbols(options.symbols)
    print("\n".join(report))
    for problem in problems:
        print(f"{options.program}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
