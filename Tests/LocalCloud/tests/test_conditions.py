"""Condition blocks and policy documents, without a cloud."""

import json

import pytest

from localcloud.authz.conditions import hold
from localcloud.authz.decision import ResourcePolicy, decide
from localcloud.authz.documents import Request, identity_outcome
from localcloud.authz.principals import ANONYMOUS, Principal, service_principal
from localcloud.authz.wildcards import expand, matches, matches_arn
from localcloud.errors import NotCoveredLocally

ARN = "arn:aws:iam::123456789012:role/app/one"
CONTEXT = {
    "aws:principalarn": ARN,
    "aws:securetransport": "true",
    "s3:prefix": "a/b",
    "s3:max-keys": "5",
    "kms:encryptioncontextkeys": ["aws:s3:arn", "x"],
}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"StringEquals": {"s3:prefix": "a/b"}}, True),
        ({"StringEquals": {"s3:prefix": ["x", "a/b"]}}, True),
        ({"StringEquals": {"s3:prefix": "A/B"}}, False),
        ({"StringEqualsIgnoreCase": {"s3:prefix": "A/B"}}, True),
        ({"StringNotEquals": {"s3:prefix": "a/b"}}, False),
        ({"StringNotEquals": {"s3:prefix": ["x", "a/b"]}}, False),
        ({"StringNotEquals": {"s3:delimiter": "/"}}, True),
        ({"StringLike": {"s3:prefix": "a/*"}}, True),
        ({"StringNotLike": {"s3:prefix": "b/*"}}, True),
        ({"StringEquals": {"s3:delimiter": "/"}}, False),
        ({"StringEqualsIfExists": {"s3:delimiter": "/"}}, True),
        ({"StringEqualsIfExists": {"s3:prefix": "/"}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"Null": {"s3:if-none-match": "true"}}, True),
        ({"Null": {"s3:prefix": "true"}}, False),
        ({"Null": {"s3:prefix": "false"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/app/*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}, False),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/app/*"}}, False),
        ({"ArnEquals": {"aws:PrincipalArn": ARN}}, True),
        ({"ArnNotEquals": {"aws:PrincipalArn": ARN}}, False),
        ({"NumericLessThanEquals": {"s3:max-keys": "5"}}, True),
        ({"NumericLessThan": {"s3:max-keys": 5}}, False),
        ({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "x"}}, True),
        ({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "x"}}, False),
        ({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["x", "aws:s3:arn"]}}, True),
        ({"StringEquals": {"s3:prefix": "a/b"}, "Bool": {"aws:SecureTransport": "false"}}, False),
    ],
)
def test_a_condition(block, expected):
    assert hold(block, CONTEXT) is expected


@pytest.mark.parametrize(
    "block",
    [
        {"DateLessThan": {"aws:SecureTransport": "2020-01-01"}},
        {"IpAddress": {"aws:SecureTransport": "10.0.0.0/8"}},
        {"StringEquals": {"aws:TokenIssueTime": "x"}},
        {"StringEquals": {"kms:EncryptionContextKeys": "x"}},
        # Even when another condition has already failed.
        {"Bool": {"aws:SecureTransport": "false"}, "StringFancy": {"s3:prefix": "x"}},
    ],
)
def test_what_is_not_understood_is_never_guessed(block):
    with pytest.raises(NotCoveredLocally):
        hold(block, CONTEXT)


def test_wildcards_know_nothing_but_star_and_question_mark():
    assert matches("a[b]*", "a[b]c") and not matches("a[b]*", "abc")
    assert matches("a?c", "a/c") and not matches("a?c", "ac")
    assert not matches_arn("arn:aws:s3:*", "arn:aws:s3:::b")
    assert expand("x/${aws:PrincipalArn}", {"aws:principalarn": "p"}) == "x/p"
    assert expand("x/${aws:userid}", {}) is None
    assert matches(expand("a${*}b", {}) or "", "a*b") and not matches(expand("a${*}b", {}) or "", "axb")


def role(account: str, *statements: str) -> Principal:
    documents = ['{"Statement":[' + ",".join(statements) + "]}"]
    arn = f"arn:aws:iam::{account}:role/r"
    return Principal("role", account, f"arn:aws:sts::{account}:assumed-role/r/s", arn, "id:s", lambda: documents)


GET = '{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}'
DENY = '{"Effect":"Deny","Action":"s3:*","Resource":"*"}'


def bucket_policy(effect: str, principal: str, owner: str = "1") -> ResourcePolicy:
    what = '"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"'
    document = f'{{"Statement":{{"Effect":"{effect}","Principal":{principal},{what}}}}}'
    return ResourcePolicy(document, owner)


@pytest.mark.parametrize(
    ("principal", "policy", "outcome"),
    [
        (role("1", GET), None, "allow"),
        (role("1"), None, "implicit deny"),
        (role("1", GET, DENY), None, "explicit deny"),
        (role("1", GET), bucket_policy("Deny", '"*"'), "explicit deny"),
        (role("1"), bucket_policy("Allow", '{"AWS":"arn:aws:iam::1:role/r"}'), "allow"),
        (role("1"), bucket_policy("Allow", '{"AWS":"arn:aws:sts::1:assumed-role/r/s"}'), "allow"),
        # The account alone delegates: the role still needs a policy of its own.
        (role("1"), bucket_policy("Allow", '{"AWS":"arn:aws:iam::1:root"}'), "implicit deny"),
        # From another account both sides must allow.
        (role("2", GET), ResourcePolicy(None, "1"), "implicit deny"),
        (role("2"), bucket_policy("Allow", '{"AWS":"arn:aws:iam::2:role/r"}'), "implicit deny"),
        (role("2", GET), bucket_policy("Allow", '{"AWS":"2"}'), "allow"),
        (ANONYMOUS, bucket_policy("Allow", '"*"'), "allow"),
        (ANONYMOUS, bucket_policy("Allow", '{"AWS":"1"}'), "implicit deny"),
        (service_principal("x.amazonaws.com"), bucket_policy("Allow", '{"Service":"x.amazonaws.com"}'), "allow"),
        (
            service_principal("y.amazonaws.com"),
            bucket_policy("Allow", '{"Service":"x.amazonaws.com"}'),
            "implicit deny",
        ),
    ],
)
def test_identity_and_resource_policies_combine(principal, policy, outcome):
    request = Request(principal, "s3:GetObject", "arn:aws:s3:::b/k", {})
    assert decide(request, policy) == outcome


def test_a_key_policy_alone_decides_whether_identity_policies_count():
    allowed = role("1", '{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}')
    request = Request(allowed, "kms:Decrypt", "arn:aws:kms:r:1:key/k", {})
    silent = ResourcePolicy('{"Statement":[]}', "1", exclusive=True)
    delegating = (
        '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"kms:*","Resource":"*"}]}'
    )
    assert decide(request, silent) == "implicit deny"
    assert decide(request, ResourcePolicy(delegating, "1", exclusive=True)) == "allow"


def test_a_session_may_do_only_what_all_its_bounds_allow():
    def bounded(*documents: str) -> str:
        who = role("1", GET)
        bounds = [f'{{"Statement":[{document}]}}' for document in documents]
        limited = Principal("role", "1", who.arn, who.identity_arn, who.user_id, who.policies, lambda: bounds)
        return decide(Request(limited, "s3:GetObject", "arn:aws:s3:::b/k", {}), None)

    other = '{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}'
    assert bounded(GET) == bounded(GET, GET) == "allow"
    assert bounded(other) == bounded(GET, other) == "implicit deny"
    assert bounded(GET, DENY) == "explicit deny"


def test_unknown_elements_of_a_policy_are_refused():
    for statement in ('{"Effect":"Allow","NotPrincipal":"*","Action":"*"}', '{"Effect":"Maybe","Action":"*"}'):
        with pytest.raises(NotCoveredLocally):
            decide(Request(role("1", statement), "s3:GetObject", "x", {}), None)


def judged(version: dict, statement: dict, **context: str) -> str | None:
    document = json.dumps({**version, "Statement": {"Effect": "Allow", "Action": "s3:GetObject", **statement}})
    principal = Principal("role", "123456789012", ARN, ARN, "AROA")
    resource = context.pop("resource", "arn:aws:s3:::b/k")
    return identity_outcome([document], Request(principal, "s3:GetObject", resource, {**CONTEXT, **context}))


@pytest.mark.parametrize("old", [{}, {"Version": "2008-10-17"}])
def test_a_policy_without_version_has_no_variables(old):
    new, own = {"Version": "2012-10-17"}, {"Resource": "arn:aws:s3:::b/${aws:username}"}
    mine, literal = "arn:aws:s3:::b/me", "arn:aws:s3:::b/${aws:username}"
    assert judged(new, own, resource=mine, **{"aws:username": "me"}) == "allow"
    assert judged(old, own, resource=mine, **{"aws:username": "me"}) is None
    assert judged(old, own, resource=literal, **{"aws:username": "me"}) == "allow"
    assert judged(new, own, resource=literal, **{"aws:username": "me"}) is None
    equal = {"Resource": "*", "Condition": {"StringEquals": {"s3:prefix": "${aws:username}"}}}
    given = {"aws:username": "me", "s3:prefix": "${aws:username}"}
    assert judged(old, equal, **given) == "allow"
    assert judged(new, equal, **given) is None
    # Wildcards are wildcards in both.
    assert judged(old, {"Resource": "arn:aws:s3:::b/*"}) == judged(new, {"Resource": "arn:aws:s3:::b/*"}) == "allow"


def test_a_version_that_does_not_exist_is_not_guessed_at():
    with pytest.raises(NotCoveredLocally, match="2020-01-01"):
        judged({"Version": "2020-01-01"}, {"Resource": "*"})
