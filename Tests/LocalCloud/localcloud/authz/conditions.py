"""The Condition block of a policy statement. An operator or a key that is not understood is an error, never a guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.authz.wildcards import expand, matches, matches_arn, plain
from localcloud.errors import NotCoveredLocally

Context = Mapping[str, "str | list[str]"]

# Keys that `context.py` fills in whenever a real request would carry them. Any other key would be judged blindly.
_KNOWN_KEYS = {
    "aws:calledvia",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalorgid",
    "aws:principalservicename",
    "aws:principaltype",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourcevpce",
    "aws:tagkeys",
    "aws:userid",
    "aws:username",
    "aws:viaawsservice",
    "cloudformation:rolearn",
    "cloudformation:changesetname",
    "cloudformation:templateurl",
    "cloudformation:stackpolicyurl",
    "iam:passedtoservice",
    "iam:associatedresourcearn",
    "kms:calleraccount",
    "kms:encryptioncontextkeys",
    "kms:grantisforawsresource",
    "kms:viaservice",
    "lambda:functionarn",
    "route53:changeresourcerecordsetsactions",
    "route53:changeresourcerecordsetsnormalizedrecordnames",
    "route53:changeresourcerecordsetsrecordtypes",
    "s3:if-match",
    "s3:if-none-match",
    "s3:authtype",
    "s3:delimiter",
    "s3:max-keys",
    "s3:prefix",
    "s3:signatureversion",
    "s3:versionid",
    "sns:endpoint",
    "sns:protocol",
    "sts:externalid",
    "sts:rolesessionname",
}
_KNOWN_PREFIXES = ("kms:encryptioncontext:", "s3:x-amz-", "aws:principaltag/", "aws:requesttag/", "aws:resourcetag/")

_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "NumericEquals": lambda given, wanted: given == wanted,
    "NumericNotEquals": lambda given, wanted: given != wanted,
    "NumericLessThan": lambda given, wanted: given < wanted,
    "NumericLessThanEquals": lambda given, wanted: given <= wanted,
    "NumericGreaterThan": lambda given, wanted: given > wanted,
    "NumericGreaterThanEquals": lambda given, wanted: given >= wanted,
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda given, wanted: given == plain(wanted),
    "StringEqualsIgnoreCase": lambda given, wanted: given.lower() == plain(wanted).lower(),
    "StringLike": lambda given, wanted: matches(wanted, given),
    "ArnEquals": lambda given, wanted: matches_arn(wanted, given),
    "ArnLike": lambda given, wanted: matches_arn(wanted, given),
    "Bool": lambda given, wanted: given.lower() == wanted.lower(),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [("true" if v else "false") if isinstance(v, bool) else str(v) for v in values]


def _check_key(key: str) -> None:
    if key not in _KNOWN_KEYS and not key.startswith(_KNOWN_PREFIXES):
        raise NotCoveredLocally(f"condition key {key}")


def _holds_for(operator: str, given: str, wanted: list[str], context: Context) -> bool:
    """One value of the request against the values listed in the policy: one match is enough, none for `Not…`."""
    if operator in _NUMERIC:
        return any(_NUMERIC[operator](float(given), float(value)) for value in wanted)
    negated, operator = operator in _NEGATED, _NEGATED.get(operator, operator)
    compare = _TEXT[operator]
    expanded = [expand(value, context) for value in wanted]
    return any(value is not None and compare(given, value) for value in expanded) != negated


def _holds(name: str, key: str, wanted: list[str], context: Context) -> bool:
    found = re.fullmatch(r"(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?", name)
    if not found:
        raise NotCoveredLocally(f"condition operator {name}")
    quantifier, operator, if_exists = found.groups()
    if operator not in _TEXT and operator not in _NEGATED and operator not in _NUMERIC and operator != "Null":
        raise NotCoveredLocally(f"condition operator {name}")
    given = context.get(key)
    if operator == "Null":
        return (given is None) == (wanted[0].lower() == "true")
    if given is None or given == []:
        # A missing key satisfies every negated operator, every …IfExists and every ForAllValues.
        return bool(if_exists) or quantifier == "ForAllValues" or (not quantifier and "Not" in operator)
    if isinstance(given, list) and not quantifier:
        raise NotCoveredLocally(f"{name} on {key}, which has several values: use ForAnyValue or ForAllValues")
    values = given if isinstance(given, list) else [given]
    outcomes = [_holds_for(operator, value, wanted, context) for value in values]
    return any(outcomes) if quantifier == "ForAnyValue" else all(outcomes)


def hold(block: Mapping[str, Mapping[str, Any]] | None, context: Context) -> bool:
    """True when every operator and every key of the Condition block holds for the request's context."""
    outcome = True
    for operator, pairs in (block or {}).items():
        for key, wanted in pairs.items():
            _check_key(key.lower())
            # Every condition is evaluated, so that one that is not understood is never hidden by another's failure.
            outcome = _holds(operator, key.lower(), _listed(wanted), context) and outcome
    return outcome
