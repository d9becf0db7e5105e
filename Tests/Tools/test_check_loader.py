"""The AL2023 gate passes what Amazon Linux 2023 loads, and names symbol and library of what it does not."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

GATE = ROOT / "Tools/check_loader.py"

PLAIN = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'
# hypot has had a new version since glibc 2.35, which is what this machine links against.
TOO_NEW = "#include <math.h>\nint main(int n, char **a) { (void)a; return (int)hypot(n, n + 1); }\n"


def compiled(folder: Path, source: str, *arguments: str) -> Path:
    (folder / "sample.c").write_text(source)
    program = folder / "sample"
    subprocess.run(["gcc", "-O0", "-fno-builtin", "-o", program, folder / "sample.c", *arguments], check=True)
    return program


def gate(*arguments: object) -> tuple[int, str, str]:
    result = subprocess.run([sys.executable, GATE, *map(str, arguments)], capture_output=True, text=True)
    return result.returncode, result.stdout, result.stderr


def test_a_program_that_loads_passes_and_its_demands_are_printed(tmp_path):
    status, output, errors = gate(compiled(tmp_path, PLAIN))
    assert (status, errors) == (0, "")
    assert "needs libc.so.6\n" in output
    assert "at most of GLIBC" in output


def test_a_symbol_that_is_too_new_is_named_with_its_library(tmp_path):
    status, _, errors = gate(compiled(tmp_path, TOO_NEW, "-lm"))
    assert status == 1
    assert "hypot@GLIBC_2.35 of libm.so.6 is too new" in errors


def test_the_object_that_asks_is_named_too(tmp_path):
    object_file = tmp_path / "geometry.o"
    (tmp_path / "geometry.c").write_text("#include <math.h>\ndouble side(double a) { return hypot(a, 1); }\n")
    subprocess.run(["gcc", "-fno-builtin", "-c", tmp_path / "geometry.c", "-o", object_file], check=True)
    table = tmp_path / "cross-reference"
    main = "double side(double); int main(int n, char **a) { (void)a; return (int)side(n); }\n"
    program = compiled(tmp_path, main, str(object_file), "-lm", "-Wl,--cref", f"-Wl,-Map={table}")
    status, _, errors = gate("--cross-reference", table, program)
    assert status == 1
    assert "hypot@GLIBC_2.35 of libm.so.6 is too new, asked for by geometry.o" in errors


def test_our_own_hypot_brings_the_demand_down(tmp_path):
    compat = ROOT / "Sources/CGlibcCompat"
    program = compiled(tmp_path, TOO_NEW, str(compat / "hypot.c"), f"-I{compat}/include", "-lm")
    assert gate(program)[0] == 0


def test_an_unknown_library_is_named(tmp_path):
    (tmp_path / "odd.c").write_text("int odd(int n) { return n & 1; }\n")
    library = tmp_path / "libodd.so.1"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-Wl,-soname,libodd.so.1", "-o", library, tmp_path / "odd.c"], check=True
    )
    program = compiled(tmp_path, "int odd(int); int main(void) { return odd(2); }\n", str(library))
    status, _, errors = gate(program)
    assert status == 1
    assert "libodd.so.1 is asked for" in errors


def test_another_interpreter_is_named(tmp_path):
    program = compiled(tmp_path, PLAIN, "-Wl,--dynamic-linker=/lib/ld-musl.so.1")
    status, _, errors = gate(program)
    assert status == 1
    assert "the interpreter /lib/ld-musl.so.1" in errors


@pytest.mark.parametrize(
    ("symbol", "what"),
    [
        ("ucal_open", "ICU"),
        ("icudt74_dat", "ICU"),
        ("CFStringCreateCopy", "CoreFoundation"),
        ("$s10Foundation13DateFormatterC", "full Foundation"),
        ("$s27FoundationInternationalization3ICUO", "FoundationInternationalization"),
    ],
)
def test_icu_and_full_foundation_are_named(tmp_path, symbol, what):
    source = PLAIN + f'void unwanted(void) __asm__("{symbol}");\nvoid unwanted(void) {{}}\n'
    program = compiled(tmp_path, source)
    status, _, errors = gate("--symbols", program, program)
    assert status == 1
    assert f"{what} is linked in: 1 symbols, the first is {symbol}" in errors


def test_foundation_essentials_is_welcome(tmp_path):
    source = PLAIN + 'void fine(void) __asm__("$s20FoundationEssentials4DataV");\nvoid fine(void) {}\n'
    program = compiled(tmp_path, source)
    assert gate("--symbols", program, program)[0] == 0


def test_a_stripped_program_cannot_be_searched(tmp_path):
    program = compiled(tmp_path, PLAIN, "-s")
    status, _, errors = gate("--symbols", program, program)
    assert status == 1
    assert "has no symbols to search" in errors
