"""The zip depends on its members alone."""

import os
import subprocess
import sys
import zipfile

from conftest import ROOT


def make(target, *members):
    subprocess.run([sys.executable, ROOT / "Tools/make_zip.py", target, *members], check=True)


def test_two_zips_of_the_same_bytes_are_the_same(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF" + bytes(1000))
    make(tmp_path / "first.zip", f"bootstrap={program}", f"NOTICE={program}:644")
    os.utime(program, (1, 1))
    program.chmod(0o600)
    make(tmp_path / "second.zip", f"bootstrap={program}", f"NOTICE={program}:644")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_the_program_stays_executable(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(b"text")
    make(tmp_path / "sample.zip", f"bootstrap={program}", f"NOTICE={program}:644")
    with zipfile.ZipFile(tmp_path / "sample.zip") as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert modes == {"bootstrap": 0o100755, "NOTICE": 0o100644}
        assert [entry.filename for entry in archive.infolist()] == ["bootstrap", "NOTICE"]
        assert archive.testzip() is None
