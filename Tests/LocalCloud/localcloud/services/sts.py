"""STS: roles are assumed only as their trust policies say."""

from __future__ import annotations

import datetime
from typing import Any

from localcloud.authz import context
from localcloud.authz.documents import Request, resource_outcome
from localcloud.authz.principals import Credentials, Principal, Principals, service_principal
from localcloud.errors import AccessDenied, AwsError
from localcloud.gateway.call import Call


class Sts:
    """AssumeRole and GetCallerIdentity. Other operations of STS are unknown here."""

    def __init__(self, principals: Principals):
        self._principals = principals

    def _trusted(self, role_arn: str, principal: Principal, keys: dict[str, str | list[str]]) -> str | None:
        role = self._principals.role(role_arn)
        request = Request(principal, "sts:AssumeRole", role_arn, keys)
        return resource_outcome(role.assume_role_policy_document, request)

    def for_service(
        self, role_arn: str, service: str, session_name: str, source: dict[str, str] | None = None
    ) -> Credentials:
        """A session for a service such as lambda.amazonaws.com; AccessDenied unless the role trusts it.

        `source` holds the condition keys that the service sends, such as aws:SourceAccount.
        """
        principal = service_principal(service)
        keys = {**context.of_principal(principal), "aws:securetransport": "true", **(source or {})}
        if self._trusted(role_arn, principal, keys) != "direct":
            raise AccessDenied(f"The role {role_arn} cannot be assumed by {service}.")
        return self._principals.open_session(role_arn, session_name)

    def assume_role(self, call: Call) -> dict[str, Any]:
        """The authorizer has judged the caller by its own policies and by the role's trust policy."""
        duration = int(call.params.get("DurationSeconds") or 3600)
        if not 900 <= duration <= 43200:
            raise AwsError("ValidationError", "DurationSeconds must be between 900 and 43200", 400)
        session = self._principals.open_session(
            call.params["RoleArn"], call.params["RoleSessionName"], duration, call.params.get("Policy")
        )
        expires = datetime.datetime.fromtimestamp(session.expires or 0, datetime.UTC).replace(tzinfo=None)
        return {
            "Credentials": {
                "AccessKeyId": session.access_key_id,
                "SecretAccessKey": session.secret_access_key,
                "SessionToken": session.session_token,
                "Expiration": expires,
            },
            "AssumedRoleUser": {"AssumedRoleId": session.principal.user_id, "Arn": session.principal.arn},
        }

    @staticmethod
    def get_caller_identity(call: Call) -> dict[str, Any]:
        assert call.principal is not None
        return {"UserId": call.principal.user_id, "Account": call.principal.account, "Arn": call.principal.arn}
