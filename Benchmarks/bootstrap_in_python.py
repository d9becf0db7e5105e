"""The same function as Python programs are: boto3 and cryptography imported, the clients made, then the loop."""

import http.client
import os

import boto3
from cryptography import x509  # noqa: F401
from cryptography.hazmat.primitives import hashes, serialization  # noqa: F401
from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: F401

CLIENTS = [boto3.client("s3", region_name="eu-west-1"), boto3.client("sts", region_name="eu-west-1")]


def main() -> None:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        response = connection.getresponse()
        response.read()
        identifier = response.headers["Lambda-Runtime-Aws-Request-Id"]
        connection.request("POST", f"/2018-06-01/runtime/invocation/{identifier}/response", "null")
        connection.getresponse().read()


if __name__ == "__main__":
    main()
