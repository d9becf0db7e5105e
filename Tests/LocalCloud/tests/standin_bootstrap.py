"""A provider for these tests only: it stores one object per generation of a custom resource, in plain Python.

What it should do wrong is in the resource's properties: `Fail` (a request type), `Answer` (a deviation of its response).
"""

import hashlib
import json
import os
import time
import urllib.error
import urllib.request

import botocore.session

API = "http://%s/2018-06-01/runtime/" % os.environ["AWS_LAMBDA_RUNTIME_API"]
s3 = botocore.session.Session().create_client("s3")


def respond(event, members):
    body = json.dumps(members).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT")
    kind = event["ResourceProperties"].get("ContentType", "")
    request.add_header("Content-Type", kind)
    for attempt in range(3):
        try:
            urllib.request.urlopen(request, timeout=5)
            return
        except urllib.error.HTTPError as error:
            if error.code == 403 or attempt == 2:
                raise
        except OSError:
            if attempt == 2:
                raise


def outcome(event):
    properties, kind = event["ResourceProperties"], event["RequestType"]
    identifier = event.get("PhysicalResourceId", "failed-before-create")
    if properties.get("Fail") == kind:
        raise RuntimeError("asked to fail on " + kind)
    if kind == "Delete":
        if identifier.startswith("keys/"):
            s3.delete_object(Bucket=properties["Bucket"], Key=identifier)
        return identifier, {}
    time.sleep(float(properties.get("Sleep", "0")))
    generation = hashlib.sha256(
        (event["StackId"] + event["LogicalResourceId"] + properties["Name"]).encode()
    ).hexdigest()[:12]
    identifier = f"keys/{properties['Name']}-{generation}"
    try:
        s3.put_object(Bucket=properties["Bucket"], Key=identifier, Body=b"secret", IfNoneMatch="*")
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
    s3.head_object(Bucket=properties["Bucket"], Key=identifier)
    return identifier, {"Key": identifier, "Generation": generation}


def handle(event):
    if "Records" in event:
        event = json.loads(event["Records"][0]["Sns"]["Message"])
    if "RequestType" not in event:
        if event.get("exit"):
            os._exit(3)
        if event.get("raise"):
            raise RuntimeError("asked to raise")
        time.sleep(event.get("sleep", 0))
        return {"echo": event, "pid": os.getpid(), "variables": dict(os.environ)}
    print("handling", event["RequestType"], flush=True)
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    deviation = event["ResourceProperties"].get("Answer") if event["RequestType"] != "Delete" else None
    try:
        identifier, data = outcome(event)
        answer |= {"Status": "SUCCESS", "PhysicalResourceId": identifier, "Data": data}
    except Exception as error:
        identifier = event.get("PhysicalResourceId", "failed-before-create")
        answer |= {"Status": "FAILED", "PhysicalResourceId": identifier, "Reason": str(error)}
    if deviation == "long":
        answer["Data"] = {"Key": "x" * 5000}
    elif deviation == "no-id":
        answer["PhysicalResourceId"] = ""
    elif deviation == "other-request":
        answer["RequestId"] = "another"
    elif deviation == "no-data":
        answer["Data"] = {}
    elif deviation == "silence":
        return None
    respond(event, answer)
    return None


while True:
    invocation = urllib.request.urlopen(API + "invocation/next")
    request_id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        path, result = "response", handle(json.load(invocation))
    except Exception as error:
        path, result = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
    urllib.request.urlopen(
        urllib.request.Request(f"{API}invocation/{request_id}/{path}", data=json.dumps(result).encode(), method="POST")
    )
