"""Which operation of which service a request is, and its parameters, read with botocore's service models."""

from __future__ import annotations

from urllib.parse import parse_qsl

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from localcloud.errors import AwsError
from localcloud.gateway.call import Call

# Signing name to botocore's service name, where the two differ.
_SERVICE_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "states": "stepfunctions", "email": "ses"}
# Botocore's service name to the prefix of the actions in IAM policies, where the two differ.
_ACTION_PREFIX = {"stepfunctions": "states", "elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing"}


def action_prefix(service: str) -> str:
    return _ACTION_PREFIX.get(service, service)


def service_of(signing_name: str, call: Call) -> str:
    """Both generations of load balancers sign with one name; the API version in the body tells them apart."""
    if signing_name == "elasticloadbalancing":
        version = dict(parse_qsl(call.body.decode("utf-8", "replace"))).get("Version", "2012-06-01")
        return "elb" if version == "2012-06-01" else "elbv2"
    return _SERVICE_OF_SIGNING_NAME.get(signing_name, signing_name)


def identify(call: Call, service: str, region: str) -> None:
    """Fill in the call's service, operation and parameters; an unknown operation is an error as on AWS."""
    call.service, call.region = service, region
    request = Request(call.environ())
    try:
        model = get_service_model(service)
        operation, uri_params = get_service_router(service).match(request)
    except NotFound:
        raise AwsError("InvalidAction", f"No operation of {service} matches {call.method} {call.path}", 400) from None
    except ValueError as error:
        raise AwsError("InvalidRequest", str(error), 400) from None
    call.operation = str(operation.name)
    protocol = determine_request_protocol(model, request.content_type)
    parser = PROTOCOL_PARSERS[protocol](operation)
    if service == "s3" and call.method in ("PUT", "POST") and call.operation in ("PutObject", "UploadPart"):
        # The body is the object itself. Only the modelled headers and the address matter here.
        call.params = {**uri_params, **call.query}
        return
    call.params = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": call.body,
            "url_path": request.path,
            "url_params": uri_params,
        }
    )
