"""One cloud and one provider for all tests of a worker. Each test makes stacks with names of its own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from localcloud import LocalCloud
from localcloud.acme import CertificateAuthority
from support import lets_encrypt
from support.application import Application, application
from support.gates import lines_in
from support.lets_encrypt import LetsEncryptProvider, Shop
from support.provider import Provider, install
from support.renewal import Renewable, Renewal, renewable, swept

_numbers = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps a module's tests on one worker: they share what is expensive to set up."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    # A minute of the templates lasts twelve seconds: enough to boot a server here.
    with LocalCloud(minute=12) as started:
        yield started


@pytest.fixture(scope="session")
def provider(cloud: LocalCloud) -> Provider:
    """The provider with all defaults, but for a break-glass role through which tests look into the bucket."""
    return install(cloud)


@pytest.fixture(scope="session")
def lets_encrypt_provider(provider: Provider) -> LetsEncryptProvider:
    """The second provider, beside the first one, which may prove names in all the ways that there are."""
    cloud = provider.cloud
    lets_encrypt.website(cloud)
    role = lets_encrypt.zone_keeper(cloud)
    return lets_encrypt.install(provider, ChallengeBuckets=lets_encrypt.WEBSITE, HostedZoneRoleArns=role)


@pytest.fixture(scope="module")
def authority(cloud: LocalCloud) -> Iterator[CertificateAuthority]:
    with CertificateAuthority(cloud) as started:
        yield started


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for a stack that no other test uses."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_").lower())
    return f"{words[:40].strip('-')}-{next(_numbers)}"


@pytest.fixture(autouse=True)
def no_faults_left(cloud: LocalCloud) -> Iterator[None]:
    """Faults end with the test that asked for them, and so does what was recorded."""
    cloud.recorder.clear()
    yield
    cloud.faults.clear()


@pytest.fixture
def app(provider: Provider, name: str) -> Iterator[Callable[..., Application]]:
    """Makes applications that are deleted after the test. `app()` has the test's name, `app("x")` one more word."""
    made: list[Application] = []

    def make(suffix: str = "", **properties: Any) -> Application:
        made.append(application(provider, f"{name}-{suffix}" if suffix else name, **properties))
        return made[-1]

    yield make
    provider.cloud.faults.clear()
    for one in made:
        if provider.cloud.stacks.exists(one.name):
            one.delete()


@pytest.fixture(scope="module")
def renewal(provider: Provider) -> Renewal:
    """The provider's scheduled function. Modules that install a provider of their own have one of their own."""
    return swept(Renewal(provider))


@pytest.fixture
def shop(provider: Provider, renewal: Renewal, name: str) -> Iterator[Renewable]:
    """A stack with a rotation parameter and a service role, whose certificate is not due yet."""
    stack = renewable(provider, name)
    yield stack
    provider.cloud.faults.clear()
    if provider.cloud.stacks.exists(name):
        stack.wait()
        stack.delete()
    renewal.forget(stack)


@pytest.fixture
def shops(
    lets_encrypt_provider: LetsEncryptProvider, authority: CertificateAuthority, name: str
) -> Iterator[Callable[..., Shop]]:
    """Makes stacks with Let's Encrypt certificates, all of one name; the last is deleted after the test."""
    made: list[Shop] = []

    def make(with_listener: bool = False, **properties: Any) -> Shop:
        made.append(lets_encrypt.shop(lets_encrypt_provider, authority, name, with_listener, **properties))
        return made[-1]

    yield make
    lets_encrypt_provider.cloud.faults.clear()
    authority.shim.extensions.reset()
    if made and made[-1].cloud.stacks.exists(name):
        made[-1].delete()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """A failed test shows what the function wrote and what it was refused."""
    report = yield
    if report.failed and "cloud" in getattr(item, "funcargs", {}):
        recorder = item.funcargs["cloud"].recorder
        report.sections.append(("function log", recorder.function_log()))
        report.sections.append(("refused", "\n".join(map(str, recorder.denied()))))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = [report for report in terminalreporter.getreports("passed") if report.when == "call"]
    lines = [line for report in passed for line in lines_in(report.capstdout)]
    if lines:
        terminalreporter.section("what the gates counted")
        for line in lines:
            terminalreporter.write_line(line)
