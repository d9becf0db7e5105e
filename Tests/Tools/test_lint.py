"""Every gate of `Tools/lint` passes a correct repository and rejects a broken one, naming the place."""

import pytest
from conftest import MANIFEST, write


def test_a_correct_repository_passes_every_gate(lint):
    status, output = lint()
    assert (status, output) == (0, "lint: format imports sources templates shell python: all passed\n")


# gate, file, its broken text, what the gate has to say
BROKEN = {
    "format": (
        "format",
        "Sources/PKI/Key.swift",
        "internal import Diagnostics\n\npackage struct Key {\n  let a = 1 }\n",
        "Sources/PKI/Key.swift:4:",
    ),
    "format's own force unwrap rule": (
        "format",
        "Sources/PKI/Key.swift",
        "package let key = [1].first!\n",
        "NeverForceUnwrap",
    ),
    "an import that the manifest does not declare": (
        "imports",
        "Sources/PKI/Key.swift",
        "import Logging\n",
        "Sources/PKI/Key.swift:1: PKI imports Logging without depending on it",
    ),
    "an import behind attributes and a kind": (
        "imports",
        "Sources/PKI/Key.swift",
        "\n@_implementationOnly private import struct Logging.Logger\n",
        "Sources/PKI/Key.swift:2: PKI imports Logging",
    ),
    "an import of the same level": (
        "imports",
        "Package.swift",
        MANIFEST.replace('"Timekeeping")', '"Timekeeping", dependencies: ["Diagnostics"])'),
        "Timekeeping (level 0) imports Diagnostics (level 0)",
    ),
    "an import of a higher level": (
        "imports",
        "Package.swift",
        MANIFEST.replace('dependencies: ["PKI",', "dependencies: [").replace(
            'dependencies: ["Diagnostics"]', 'dependencies: ["HTTPTransport"]'
        ),
        "PKI (level 1) imports HTTPTransport (level 2)",
    ),
    "a target without a level": (
        "imports",
        "Package.swift",
        MANIFEST.replace('.target(name: "Timekeeping")', '.target(name: "Utilities")'),
        "Utilities has no level",
    ),
    "full Foundation": (
        "imports",
        "Sources/PKI/Key.swift",
        "import Foundation\n",
        "Foundation may not be imported: import FoundationEssentials",
    ),
    "Foundation's XML": ("imports", "Sources/PKI/Key.swift", "import FoundationXML\n", "FoundationXML may not"),
    "NIO's Foundation": (
        "imports",
        "Sources/PKI/Key.swift",
        "import NIOFoundationCompat\n",
        "NIOFoundationCompat may not",
    ),
    "public": ("sources", "Sources/PKI/Key.swift", "\npublic struct Key {}\n", "Sources/PKI/Key.swift:2: `public`"),
    "try!": ("sources", "Sources/PKI/Key.swift", "let a = try! b()\n", "`try!` traps"),
    "as!": ("sources", "Sources/PKI/Key.swift", "let a = b as! Int\n", "`as!` traps"),
    "fatalError": ("sources", "Sources/PKI/Key.swift", 'fatalError("no")\n', "`fatalError` traps"),
    "preconditionFailure": ("sources", "Sources/PKI/Key.swift", "preconditionFailure()\n", "`preconditionFailure`"),
    "a force unwrap": ("sources", "Sources/PKI/Key.swift", "let a = b[0]!.c\n", "a force unwrap traps"),
    "a force unwrap in an interpolation": (
        "sources",
        "Sources/PKI/Key.swift",
        'let a = "x \\(b.first!) y"\n',
        "a force unwrap traps",
    ),
    "String(format:)": ("sources", "Sources/PKI/Key.swift", 'String(format: "%d", 1)\n', "full Foundation"),
    "a type with its module's name": ("sources", "Sources/PKI/Key.swift", "enum PKI {}\n", "module's name, PKI"),
    "unfinished work": ("sources", "Tests/PKITests/KeyTests.swift", "// TO" + "DO: more\n", ":1: TO" + "DO"),
    "unfinished work in a script": ("sources", "package.sh", "#!/bin/bash\n# FIX" + "ME\n", "package.sh:2: FIX" + "ME"),
    "a template with an unknown property": (
        "templates",
        "templates/provider.yml",
        "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      Colour: red\n",
        "'Colour' was unexpected",
    ),
    "a script that cannot be parsed": ("shell", "package.sh", "#!/bin/bash\nif true\n", "syntax error"),
    "a script that splits words": ("shell", "package.sh", "#!/bin/bash\nrm -r $1\n", "SC2086"),
    "an unused import in Python": ("python", "Benchmarks/bench.py", "import os\n", "F401"),
    "unformatted Python": ("python", "Tests/Tools/test_nothing.py", "a = 'x'\n", "test_nothing.py"),
}


@pytest.mark.parametrize(("gate", "file", "text", "complaint"), BROKEN.values(), ids=BROKEN)
def test_a_broken_repository_is_rejected(repository, lint, gate, file, text, complaint):
    write(repository / file, text)
    if "Utilities" in text:
        (repository / "Sources/Timekeeping").rename(repository / "Sources/Utilities")
    if '"Timekeeping", dependencies' in text:
        write(repository / "Sources/Timekeeping/Instant.swift", "internal import Diagnostics\n")
    if '"HTTPTransport"]' in text:
        write(repository / "Sources/PKI/Key.swift", "internal import HTTPTransport\n")
        write(repository / "Sources/HTTPTransport/Client.swift", "internal import Logging\n")
    status, output = lint(gate)
    assert status == 1
    assert complaint in output
    assert output.endswith(f"lint: failed: {gate}\n")


def test_comments_and_strings_are_not_code(repository, lint):
    write(
        repository / "Sources/PKI/Key.swift",
        "/// Never `try!`, /* nor */ `as!`.\n/* public /* fatalError() */ x! */\n"
        'let a = "public x! \\" as! \\(b) y!"\nlet c = #"try! \\(d!) "x!" "#\nlet e = """\n    "public" f!\n    """\n'
        "let g = !h && i != j\n",
    )
    assert lint("sources")[0] == 0


def test_a_failing_gate_does_not_hide_another(repository, lint):
    write(repository / "Sources/PKI/Key.swift", "import Foundation\npublic enum Key {}\n")
    status, output = lint("imports", "sources", "shell")
    assert status == 1
    assert "Foundation may not be imported" in output
    assert "`public`" in output
    assert output.endswith("lint: failed: imports sources\n")
