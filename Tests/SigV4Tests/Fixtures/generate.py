"""Writes requests with the signatures that botocore gives them, for RequestSignerTests.

    python generate.py                     rewrites vectors.json beside this file
    python generate.py --seed 7 --output - fresh requests; run the tests with STACKCERT_SIGV4_VECTORS=<file>

Needs botocore. The first cases are written by hand, one per trap; the rest are drawn from the seed.
"""

import argparse
import datetime
import json
import pathlib
import random
import sys
from urllib.parse import quote

import botocore
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

TEXTS = [
    "", "a", "A", "0", "-", ".", "_", "~", "a b", " ", "+", "a+b", "%", "%20", "&", "=", "a=b", "/", "//", ":", "@",
    "!", "*", "'", "(", ")", ",", ";", "$", "é", "ü~", "鍵", "🔑", "\u00a0", "\u202e", "Ω/ω", "?", "#", "<xml>", '"q"',
    "\\", "|", "^", "`", "{}", "[]", "a.b-c_d~e", "1234567890" * 8,
]
SEGMENTS = TEXTS + ["..", ".", "", "%2F", "%C3%A9", "%c3%a9", "a%20b"]
FIELDS = [
    ("X-Amz-Meta-Public-Key", "MIIBIjANBgkq+/=="), ("x-amz-meta-name", "  two   words  "), ("If-None-Match", "*"),
    ("x-amz-meta-tab", "a\tb \t c"), ("X-Custom", ""), ("x-custom", "second"), ("X-CUSTOM", "third"),
    ("Content-Type", "application/json"), ("x-amz-meta-accent", "é ü"), ("User-Agent", "not signed"),
    ("Expect", "100-continue"), ("X-Amzn-Trace-Id", "Root=1-2-3"), ("Accept", "*/*"), ("Accept", "text/plain"),
    ("x-amz-expected-bucket-owner", "111122223333"), ("Range", "bytes=0-9"), ("x-a", "1,2"), ("x-a-b", "3"),
    ("x-amz-meta-quoted", '"a  b"'), ("Cache-Control", "no-cache"),
]
REGIONS = ["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "ap-southeast-5"]
SERVICES = ["s3", "s3", "s3", "sts", "iam", "execute-api", "route53"]
AUTHORITIES = [
    "example.amazonaws.com", "bucket.s3.eu-west-1.amazonaws.com", "host:443", "host:80", "host:8443", "127.0.0.1:5000",
    "Example.COM", "[::1]:5000", "localhost",
]


def sign(case):
    """The request's signature by botocore, into case["expected"]."""
    botocore.auth.get_current_datetime = lambda *_, **__: datetime.datetime.fromisoformat(case["date"])
    is_s3 = case["service"] == "s3"
    url = f"{case['scheme']}://{case['authority']}{case['path']}"
    request = AWSRequest(method=case["method"], url=url, data=case["body"].encode())
    for name, value in case["fields"]:
        request.headers.add_header(name, value)
    if case["payload"] == "unsigned":
        request.context["payload_signing_enabled"] = False
        request.context["client_config"] = Config(s3={"payload_signing_enabled": False})
    credentials = Credentials(case["id"], case["secret"], case["token"] or None)
    if case["kind"] == "presigned":
        kind = botocore.auth.S3SigV4QueryAuth if is_s3 else botocore.auth.SigV4QueryAuth
        kind(credentials, case["service"], case["region"], expires=case["expires"]).add_auth(request)
        case["expected"] = request.url[len(f"{case['scheme']}://{case['authority']}"):]
    else:
        kind = botocore.auth.S3SigV4Auth if is_s3 else botocore.auth.SigV4Auth
        kind(credentials, case["service"], case["region"]).add_auth(request)
        case["expected"] = request.headers["Authorization"]
        case["date_field"] = request.headers["X-Amz-Date"]
        case["hash_field"] = request.headers.get("X-Amz-Content-SHA256", "")
        case["token_field"] = request.headers.get("X-Amz-Security-Token", "")
    return case


def case(name, **changes):
    base = {
        "name": name, "kind": "header", "service": "s3", "region": "eu-west-1", "date": "2026-11-20T23:08:00+00:00",
        "method": "GET", "scheme": "https", "authority": "bucket.s3.eu-west-1.amazonaws.com", "path": "/key",
        "fields": [], "body": "", "payload": "signed", "id": "AKIDEXAMPLE",
        "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token": "", "expires": 0,
    }
    unknown = changes.keys() - base.keys()
    assert not unknown, unknown
    return sign(base | changes)


def directed():
    for service in ["s3", "sts"]:
        for path in [
            "/", "/a", "/a/", "//a", "/a//b", "/a/./b", "/a/../b", "/../a", "/a/..", "/a/.", "/./", "/a%20b", "/a+b",
            "/%E9%8D%B5", "/a%2Fb", "/a%2fb", "/~a", "/a=b", "/a:b@c", "/a!$'()*,;", "/-/./_/~",
        ]:
            yield case(f"{service} path {path}", service=service, path=path)
        for query in [
            "", "a", "a=", "a=b", "b=1&a=2", "a=2&a=1", "a=&a", "a&b", "A=1&a=1", "a=%20", "a=+", "a=%2B", "a=b=c",
            "a==", "=a", "a-=1&a=1&a.=1", "a=%7E", "a=~", "a%20b=c", "a=%c3%a9", "a=%C3%A9", "&a=1", "a=1&&b=2",
            "list-type=2&prefix=x%2Fy&encoding-type=url", "versions=", "a=10&a=9&a=1",
        ]:
            yield case(f"{service} query {query}", service=service, path="/" + ("?" + query if query else ""))
        for scheme in ["https", "http"]:
            for authority in AUTHORITIES:
                yield case(f"{service} {scheme} {authority}", service=service, scheme=scheme, authority=authority)
        for region in REGIONS:
            yield case(f"{service} region {region}", service=service, region=region)
        for payload in ["signed", "unsigned"]:
            for token in ["", "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ=="]:
                yield case(
                    f"{service} {payload} body, token {bool(token)}", service=service, payload=payload,
                    token=token, method="PUT", body='{"private_key":"…"}')
    for name, value in FIELDS:
        yield case(f"field {name}", fields=[[name, value]])
    yield case("repeated fields", fields=[["x-custom", "b"], ["x-other", "1"], ["X-Custom", "a"], ["x-custom", ""]])
    for date in ["2000-02-29T23:59:59+00:00", "2099-12-31T00:00:00+00:00", "2026-01-01T00:00:00+00:00"]:
        yield case(f"date {date}", date=date)
    for expires in [1, 900, 604800]:
        for token in ["", "to/ken+=="]:
            for service in ["s3", "sts"]:
                yield case(
                    f"presigned {service} {expires} {token}", kind="presigned", service=service, expires=expires,
                    token=token, method="PUT" if service == "s3" else "GET", path="/a/b%20c")


def drawn(random, index):
    """A request by chance."""
    service = random.choice(SERVICES)
    kind = "presigned" if random.random() < 0.2 else "header"
    segments = [random.choice(SEGMENTS) for _ in range(random.randint(0, 5))]
    # What is not unreserved is mostly encoded; what urlsplit would cut at, always.
    path = "/" + "/".join(quote(s, safe=random.choice(["", "!$&'()*+,;=:@", "%"])) for s in segments)
    pairs = [(random.choice(TEXTS), random.choice(TEXTS)) for _ in range(random.choice([0, 0, 1, 2, 3, 6]))]
    if kind == "presigned":
        # botocore reads the query into a dictionary and writes it anew.
        pairs = sorted({name: value for name, value in pairs if name}.items())
        query = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in pairs)
    else:
        query = "&".join(
            quote(n, safe="-_.~")
            + random.choice(["=", "=", "=", ""])
            + quote(v, safe=random.choice(["", "/:", "-_.~"]))
            for n, v in pairs)
    method = random.choice(["GET", "PUT", "POST", "DELETE", "HEAD"])
    has_body = kind == "header" and method in ("PUT", "POST")
    return case(
        f"drawn {index}", kind=kind, service=service, region=random.choice(REGIONS), method=method,
        date=datetime.datetime.fromtimestamp(random.randint(10**9, 4 * 10**9), datetime.UTC).isoformat(),
        scheme=random.choice(["https", "https", "http"]), authority=random.choice(AUTHORITIES),
        path=path + ("?" + query if query else ""),
        fields=[list(f) for f in random.sample(FIELDS, random.choice([0, 0, 1, 2, 5]))],
        body=random.choice(TEXTS) if has_body else "",
        payload=random.choice(["signed", "signed", "unsigned"]) if kind == "header" else "signed",
        id="AKID" + "".join(random.choices("ABCDEFGH234567", k=12)),
        secret="".join(random.choices("abcXYZ019+/", k=40)),
        token=random.choice(["", "".join(random.choices("abcXYZ019+/=", k=random.choice([4, 90])))]),
        expires=random.choice([1, 60, 3600, 604800]) if kind == "presigned" else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="requests drawn beside those written by hand")
    parser.add_argument("--output", default=str(pathlib.Path(__file__).with_name("vectors.json")))
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    cases = list(directed()) + [drawn(chance, index) for index in range(arguments.count)]
    # One line each, without what is as in the first: changes can be read.
    first = cases[0]
    always = ("name", "expected")
    rows = [first] + [{k: v for k, v in c.items() if k in always or v != first.get(k, "")} for c in cases[1:]]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    if arguments.output == "-":
        sys.stdout.write(text)
    else:
        pathlib.Path(arguments.output).write_text(text)
    print(f"{len(cases)} requests signed by botocore {botocore.__version__}", file=sys.stderr)


if __name__ == "__main__":
    main()
