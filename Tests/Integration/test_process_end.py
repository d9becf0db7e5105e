"""A function's process that cannot serve events ends with an error code, and its log says why."""

from __future__ import annotations

import json
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support import paths


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("function")
    with zipfile.ZipFile(paths.function_zip()) as package:
        package.extract("bootstrap", folder)
    (folder / "bootstrap").chmod(0o755)
    return folder / "bootstrap"


def told_version() -> str:
    """What the command says of itself."""
    said = subprocess.run([paths.stackcert(), "version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("stackcert ")
    return said.split()[1]


def ended(bootstrap: Path, **variables: str) -> dict:
    """The line that the process wrote before it ended with an error code, after the one that tells its version."""
    process = subprocess.run(
        [bootstrap],
        env={"_HANDLER": "backend-certificate", "AWS_REGION": "eu-west-1", **variables},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 1
    first, line = process.stdout.splitlines()
    assert json.loads(first)["stackcert.version"] == told_version()
    assert not process.stderr
    return json.loads(line)


@contextmanager
def runtime_api(status: int, headers: dict[str, str]) -> Iterator[str]:
    """Answers every request for the next event in this way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "2"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_process_without_a_runtime_api_says_so(bootstrap):
    line = ended(bootstrap)
    assert (line["level"], line["errorType"]) == ("FATAL", "RuntimeError.noRuntimeAPI")
    assert "AWS_LAMBDA_RUNTIME_API" in line["errorMessage"]


def test_a_process_that_cannot_read_its_roots_names_the_file(bootstrap, tmp_path):
    line = ended(bootstrap, AWS_LAMBDA_RUNTIME_API="127.0.0.1:1", SSL_CERT_FILE=str(tmp_path / "roots.pem"))
    assert line["errorType"] == "TransportError.rootsUnreadable"
    assert f"SSL_CERT_FILE names the file {tmp_path}/roots.pem" in line["errorMessage"]


@pytest.mark.parametrize(
    ("status", "headers", "type", "words"),
    [
        (403, {}, "RuntimeError.nextRefused", "403"),
        (200, {"Lambda-Runtime-Aws-Request-Id": "../x"}, "RuntimeError.malformedInvocation", "request id"),
    ],
    ids=["the next event is refused", "an event has no usable id"],
)
def test_a_process_that_gets_no_event_says_why(bootstrap, status, headers, type, words):
    with runtime_api(status, headers) as endpoint:
        line = ended(bootstrap, AWS_LAMBDA_RUNTIME_API=endpoint)
    assert line["errorType"] == type
    assert words in line["errorMessage"]
