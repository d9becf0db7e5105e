#!/usr/bin/env python3
"""Compares every `import` with the manifest: a target imports its direct dependencies and nothing else.

    check_imports.py [PACKAGE_DIRECTORY]

The compiler cannot be trusted with this: it finds any module that some target has built. Also held here: a level of
the design never imports a higher one or its own, and the modules that would cost tens of megabytes stay out of
Sources.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from swift_source import code_only, line_of

LEVELS = {
    "CGlibcCompat": 0,
    "Diagnostics": 0,
    "Timekeeping": 0,
    "PKI": 1,
    "SigV4": 1,
    "HTTPTransport": 2,
    "ACME": 3,
    "AWSClient": 3,
    "CustomResource": 3,
    "LambdaRuntime": 3,
    "CertificateIssuance": 4,
    "CertificateAgent": 5,
    "CertificateFleet": 5,
    "CertificateRenewal": 5,
    "CertificateResources": 5,
    "StackCertCommand": 6,
    "StackCertLambda": 6,
}

# Part of the toolchain or the system.
SYSTEM = {"Darwin", "Dispatch", "FoundationEssentials", "Glibc", "Musl", "Swift", "Synchronization"}
SYSTEM_IN_TESTS = SYSTEM | {"Foundation", "Testing"}

DENIED = {
    "Foundation": "import FoundationEssentials: full Foundation brings ICU and 44 MB",
    "FoundationInternationalization": "it brings ICU and 40 MB",
    "FoundationNetworking": "HTTPTransport is the only door to the network",
    "FoundationXML": "it imports full Foundation",
    "NIOFoundationCompat": "it imports full Foundation; NIOFoundationEssentialsCompat does not",
}

IMPORT = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)\n]*\))?[ \t]+)*(?:(?:public|package|internal|fileprivate|private)[ \t]+)?import[ \t]+"
    r"(?:(?:actor|class|enum|func|let|protocol|struct|typealias|var)[ \t]+)?(\w+)",
    re.MULTILINE,
)


def describe(package: Path) -> dict:
    # A scratch folder of its own: the usual one is locked while a build runs.
    with tempfile.TemporaryDirectory() as scratch:
        command = ["swift", "package", "--package-path", str(package), "--scratch-path", scratch]
        result = subprocess.run([*command, "describe", "--type", "json"], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"swift package describe failed:\n{result.stderr}")
    return json.loads(result.stdout)


def imports(source: Path) -> list[tuple[int, str]]:
    code = code_only(source.read_text())
    return [(line_of(code, match.start(1)), match[1]) for match in IMPORT.finditer(code)]


def check(package: Path) -> list[str]:
    problems: list[str] = []
    targets = {target["name"]: target for target in describe(package)["targets"]}
    for name, target in sorted(targets.items()):
        if target["module_type"] != "SwiftTarget":
            continue
        is_tests = target["path"].startswith("Tests/")
        declared = {*target.get("target_dependencies", ()), *target.get("product_dependencies", ())}
        if not is_tests and name not in LEVELS:
            problems.append(f"Package.swift: {name} has no level; give it one in Tools/check_imports.py")
        for file in sorted(target["sources"]):
            source = Path(target["path"]) / file
            for line, module in imports(package / source):
                where = f"{source}:{line}: "
                if not is_tests and module in DENIED:
                    problems.append(f"{where}{module} may not be imported: {DENIED[module]}")
                elif module not in declared | (SYSTEM_IN_TESTS if is_tests else SYSTEM):
                    problems.append(f"{where}{name} imports {module} without depending on it in Package.swift")
                elif not is_tests and LEVELS.get(module, -1) >= LEVELS.get(name, 0) and module in targets:
                    problems.append(
                        f"{where}{name} (level {LEVELS.get(name)}) imports {module} (level {LEVELS[module]}); "
                        "imports point down only"
                    )
    return problems


if __name__ == "__main__":
    found = check(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(1 if found else 0)
