"""One run of the renewal among many certificates of which few are due, and what a program that reads every record needs
for the same answer."""

from __future__ import annotations

import bisect
import datetime
import hashlib
import json
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from subprocess import run

from function import Function
from peers import Connection, Listener

HERE = Path(__file__).resolve().parent
STATE_BUCKET = "state-111122223333-eu-west-1"
PAGE = 1000
XML = {"Content-Type": "application/xml"}


class Fleet:
    """The state bucket and the stacks of a number of certificates. Records are made when they are asked for: what is
    measured is who reads them, not who keeps them. Every stack has the tag that switches renewal off, so that each due
    one is looked at, written down and left alone."""

    def __init__(self, certificates: int, due: int) -> None:
        self.requests = 0
        self._numbers: dict[str, int] = {}
        self._written: dict[str, bytes] = {}
        now = datetime.datetime.now(datetime.UTC)
        for number in range(certificates):
            # What is not due is spread over the year to come.
            days = -1 if number < due else 1 + number % 365
            minute = (now + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%MZ")
            guid, generation = self._names(number)
            self._numbers[f"actions/{minute}/{guid}.Certificate.{generation}"] = number
            self._numbers[f"records/{guid}/Certificate/{generation}.json"] = number
        self._keys = sorted(self._numbers)
        self._lock = threading.Lock()
        self.listener = Listener()
        self.listener.serve(self.answer)

    @staticmethod
    def _names(number: int) -> tuple[str, str]:
        generation = hashlib.sha256(str(number).encode()).hexdigest()
        return f"00000000-0000-0000-0000-{number:012d}", generation

    def _record(self, number: int) -> bytes:
        guid, generation = self._names(number)
        facts = {
            "publicKey": "A" * 124,
            "previousPublicKey": "B" * 124,
            "previousKeyDiscarded": False,
            "certificateFingerprint": generation,
            "serialNumber": generation[:32],
            "notBefore": "2026-01-01T00:00:00Z",
            "notAfter": "2036-01-01T00:00:00Z",
            "requestID": guid,
            "issuedAt": "2026-01-01T00:00:00Z",
        }
        record = {
            "version": 1,
            "bucket": "certificates-111122223333-eu-west-1",
            "key": f"backend-certificate/shop/{guid}/Certificate/{generation}.json",
            "stackID": f"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-{number}/{guid}",
            "logicalResourceID": "Certificate",
            "settings": {"rotationParameter": "CertificateRotation", "stableS3Key": False},
            "facts": facts,
            "claim": {"requestID": guid, "issuedAt": "2026-01-01T00:00:00Z"},
        }
        return json.dumps(record).encode()

    def answer(self, connection: Connection, line: str, fields: dict[str, str], body: bytes) -> None:
        with self._lock:
            self.requests += 1
        method, target, _ = line.split(" ")
        path, _, query = target.partition("?")
        if method == "POST":
            return self._stack(connection, dict(urllib.parse.parse_qsl(body.decode())))
        key = urllib.parse.unquote(path.removeprefix(f"/{STATE_BUCKET}").removeprefix("/"))
        if not key:
            return self._listing(connection, dict(urllib.parse.parse_qsl(query)))
        if method == "PUT":
            with self._lock:
                known = self._written.get(key)
                wrong = fields.get("if-none-match") == "*" and known is not None
                wrong |= "if-match" in fields and (known is None or fields["if-match"] != etag(known))
                if not wrong:
                    self._written[key] = body
            return connection.answer(412) if wrong else connection.answer(200, {"ETag": etag(body)})
        if method == "DELETE":
            with self._lock:
                self._written.pop(key, None)
            return connection.answer(204)
        content = self._written.get(key)
        if content is None and key in self._numbers:
            content = self._record(self._numbers[key])
        if content is None:
            text = b"<Error><Code>NoSuchKey</Code><Message>None</Message></Error>"
            return connection.answer(404, XML, text, head_only=method == "HEAD")
        return connection.answer(200, {"ETag": etag(content)}, content, head_only=method == "HEAD")

    def _listing(self, connection: Connection, query: dict[str, str]) -> None:
        prefix = query.get("prefix", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        with self._lock:
            written = sorted(key for key in self._written if key.startswith(prefix) and key > after)
        begin = max(bisect.bisect_left(self._keys, prefix), bisect.bisect_right(self._keys, after))
        page = [key for key in self._keys[begin : begin + PAGE] if key.startswith(prefix)]
        page = sorted([*page, *written])
        more = len(page) >= PAGE
        page = page[:PAGE]
        parts = [f"<Contents><Key>{urllib.parse.quote(key)}</Key><Size>1</Size></Contents>" for key in page]
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
        text = (
            f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{''.join(parts)}</ListBucketResult>"
        )
        connection.answer(200, XML, text.encode())

    @staticmethod
    def _stack(connection: Connection, form: dict[str, str]) -> None:
        if form.get("Action") != "DescribeStacks":
            text = b"<ErrorResponse><Error><Code>InvalidAction</Code><Message>None</Message></Error></ErrorResponse>"
            connection.answer(400, XML, text)
            return
        name = form["StackName"]
        text = (
            "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>"
            f"<StackId>{name}</StackId><StackName>{name.split('/')[1]}</StackName>"
            "<StackStatus>UPDATE_COMPLETE</StackStatus>"
            "<Tags><member><Key>stackcert:renew</Key><Value>off</Value></member></Tags>"
            "</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        )
        connection.answer(200, XML, text.encode())


def etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


@dataclass
class Run:
    """What finding and handling the due certificates took."""

    requests: int
    seconds: float
    peak_bytes: int


def renewal(bootstrap: str, certificates: int, due: int) -> Run:
    """One run of the packaged function, the first of its process as after a quiet hour."""
    fleet = Fleet(certificates, due)
    environment = {
        "_HANDLER": "stack-renewal",
        "AWS_ENDPOINT_URL": f"http://{fleet.listener.endpoint}",
        "STACKCERT_STATE_BUCKET": STATE_BUCKET,
    }
    function = Function([bootstrap], environment)
    elapsed, answer = function.invoke(b"{}")
    told = json.loads(answer)
    if told != {"Due": due, "Stacks": {"SwitchedOff": due}}:
        raise RuntimeError(f"the renewal did something else: {told}")
    done = Run(fleet.requests, elapsed, function.peak_resident_bytes)
    function.stop()
    return done


def scan(certificates: int, due: int) -> Run:
    """A boto3 program that reads every record to find the same ones."""
    fleet = Fleet(certificates, due)
    command = [sys.executable, str(HERE / "scan_with_boto3.py"), f"http://{fleet.listener.endpoint}", STATE_BUCKET]
    started = time.perf_counter()
    told = json.loads(run(command, check=True, capture_output=True, text=True).stdout)
    elapsed = time.perf_counter() - started
    if told["records"] != certificates:
        raise RuntimeError(f"the scan missed records: {told}")
    return Run(fleet.requests, elapsed - told["start"], told["peak"])
