"""Finds what is due as programs without an index do: by reading every record. Prints what it found as JSON."""

import json
import resource
import sys
import time

started = time.perf_counter()

import boto3  # noqa: E402

ENDPOINT, BUCKET = sys.argv[1:3]


def main() -> None:
    s3 = boto3.client(
        "s3", region_name="eu-west-1", endpoint_url=ENDPOINT, aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="bench",
    )  # fmt: skip
    start = time.perf_counter() - started
    records, due = 0, []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="records/"):
        for item in page.get("Contents", []):
            record = json.loads(s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read())
            records += 1
            if record["facts"]["notAfter"] < "2027":
                due.append(record["stackID"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"records": records, "due": len(due), "start": start, "peak": peak}))


if __name__ == "__main__":
    main()
