"""curl, against a TLS server that shows the certificate: as the boot script of automated.yml asks its own server."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

from judges.document import Document
from judges.programs import ENVIRONMENT, refusals


def curl(documents: list[Document], _: Path) -> dict[str, str]:
    return refusals({document.name: _ask(document) for document in documents})


def _ask(document: Document) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(document.pem, document.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        port = listener.getsockname()[1]
        url = f"https://{document.case.host}/"
        command = [
            "curl",
            "-sS",
            "--noproxy",
            "*",
            "--cacert",
            document.pem,
            "--connect-to",
            f"::127.0.0.1:{port}",
            url,
        ]
        asking = subprocess.Popen(
            [*document.at_its_time(), *command],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        served = _serve(listener, context)
        said, complained = asking.communicate(timeout=20)
    return "" if asking.returncode == 0 and said == "judged" else f"exit {asking.returncode} {complained} {served}"


def _serve(listener: socket.socket, context: ssl.SSLContext) -> str:
    """One connection. What went wrong is for the message: whether it did, curl says."""
    try:
        connection, _ = listener.accept()
        connection.settimeout(20)
        with context.wrap_socket(connection, server_side=True) as accepted:
            accepted.recv(65536)
            accepted.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\njudged")
    except OSError as error:
        return str(error)
    return ""
