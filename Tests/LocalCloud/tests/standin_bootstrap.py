"""A provider for these tests only: it stores one object per generation of a custom resource, in plain Python.

What it should do wrong is in the resource's properties: `Fail` (a request type), `Answer` (how its response deviates).
Nothing but the standard library, so that a cold start costs little.
"""

import hashlib
import hmac
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/"
ENDPOINT = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
EMPTY = hashlib.sha256(b"").hexdigest()


def sign(method, path, headers):
    scope = f"{headers['x-amz-date'][:8]}/{os.environ['AWS_REGION']}/s3/aws4_request"
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{headers['x-amz-content-sha256']}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = b"AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"


def s3(method, bucket, key, body=b"", **more):
    """The status of one S3 request. Faults of the way and of the server are tried again twice."""
    path = "/" + urllib.parse.quote(f"{bucket}/{key}", safe="/-_.~")
    for attempt in range(3):
        headers = {
            "host": ENDPOINT.netloc,
            "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
            "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
            "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"],
            **more,
        }
        headers["Authorization"] = sign(method, path, headers)
        connection = http.client.HTTPConnection(ENDPOINT.netloc, timeout=10)
        try:
            connection.request(method, path, body, headers)
            status = connection.getresponse().status
        except OSError:
            status = 0
        connection.close()
        if 0 < status < 500 or attempt == 2:
            return status
    return 0


def require(status, *expected):
    if status not in expected:
        raise RuntimeError(f"S3 answered {status}")


def respond(event, members):
    body = json.dumps(members).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT")
    request.add_header("Content-Type", event["ResourceProperties"].get("ContentType", ""))
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
            require(s3("DELETE", properties["Bucket"], identifier), 204)
        return identifier, {}
    time.sleep(float(properties.get("Sleep", "0")))
    seed = event["StackId"] + event["LogicalResourceId"] + properties["Name"]
    generation = hashlib.sha256(seed.encode()).hexdigest()[:12]
    identifier = f"keys/{properties['Name']}-{generation}"
    require(s3("PUT", properties["Bucket"], identifier, b"secret", **{"if-none-match": "*"}), 200, 412)
    require(s3("HEAD", properties["Bucket"], identifier), 200)
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
    elif deviation == "other-id":
        answer |= {"Status": "FAILED", "Reason": "with another id", "PhysicalResourceId": "another"}
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
    body = json.dumps(result).encode()
    urllib.request.urlopen(urllib.request.Request(f"{API}invocation/{request_id}/{path}", data=body, method="POST"))
