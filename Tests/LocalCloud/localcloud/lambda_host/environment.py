"""The variables a function's process starts with: AWS's reserved ones, the role's credentials, the function's own."""

from __future__ import annotations

import uuid

from localcloud.authz.principals import Credentials
from localcloud.lambda_host.function import Function


def process_environment(
    function: Function, credentials: Credentials, endpoint: str, variables: dict[str, str]
) -> dict[str, str]:
    """`variables` are this machine's own, such as the file of trusted authorities. `AWS_ENDPOINT_URL` and
    `STACKCERT_LOCAL_RESPONSE_URLS` are what makes a process work against this cloud."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": function.handler,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": "AWS_Lambda_provided.al2023",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": function.log_stream(uuid.uuid4().hex),
        **variables,
        **dict(function.environment),
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token or "",
        "AWS_ENDPOINT_URL": endpoint,
        "STACKCERT_LOCAL_RESPONSE_URLS": "1",
    }
