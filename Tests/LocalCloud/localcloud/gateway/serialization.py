"""Answers and errors in each AWS protocol's own form."""

from __future__ import annotations

import json
import secrets
from typing import Any
from xml.sax.saxutils import escape

from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from localcloud.errors import AccessDenied, AwsError
from localcloud.gateway.call import Answer, Call


def _protocol(service: str) -> str:
    return str(get_service_model(service).protocol) if service else "rest-xml"


def result(call: Call, value: dict[str, Any]) -> Answer:
    """The answer of an operation that this package implements itself, shaped by botocore's model of it."""
    model = get_service_model(call.service)
    serializer = get_serializer_class(model.service_name, _protocol(call.service))(
        model.operation_model(call.operation)
    )
    done = serializer.serialize(value)
    body = done["body"]
    headers = [(name, str(text)) for name, text in done["headers"].items()]
    return Answer(int(done["status_code"]), headers, body if isinstance(body, bytes) else str(body).encode())


def error(call: Call, failure: AwsError) -> Answer:
    """An error answer. A refusal carries the code that the protocol in question uses for refusals."""
    protocol, code, request_id = _protocol(call.service), failure.code, secrets.token_hex(8)
    if isinstance(failure, AccessDenied):
        if protocol in ("json", "rest-json"):
            code = "AccessDeniedException"
        elif protocol == "ec2":
            code = "UnauthorizedOperation"
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": failure.message, "Message": failure.message})
        return Answer(
            failure.status,
            [
                ("Content-Type", "application/x-amz-json-1.1"),
                ("x-amzn-ErrorType", code),
                ("x-amzn-RequestId", request_id),
            ],
            body.encode(),
        )
    detail = f"<Code>{escape(code)}</Code><Message>{escape(failure.message)}</Message>"
    if call.service in ("s3", ""):
        body = f"<Error>{detail}<RequestId>{request_id}</RequestId></Error>"
    elif protocol == "ec2":
        body = f"<Response><Errors><Error>{detail}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        kind = "Sender" if failure.status < 500 else "Receiver"
        shown = f"<Error><Type>{kind}</Type>{detail}</Error><RequestId>{request_id}</RequestId>"
        body = f"<ErrorResponse>{shown}</ErrorResponse>"
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + body
    return Answer(
        failure.status, [("Content-Type", "application/xml"), ("x-amz-request-id", request_id)], text.encode()
    )
