"""Clouds for the tests."""

from __future__ import annotations

import pytest

from localcloud import LocalCloud
from localcloud.acme import CertificateAuthority

from .acme_client import AcmeClient
from .support import TEMPLATE, prepare


@pytest.fixture(scope="module")
def shared():
    """One cloud for all tests of a module; each uses its own names."""
    with LocalCloud(custom_resource_timeout=5, minute=1) as cloud:
        yield prepare(cloud)


@pytest.fixture
def cloud(shared: LocalCloud):
    """The module's cloud, with an empty record and no faults."""
    shared.recorder.clear()
    shared.faults.clear()
    yield shared
    shared.faults.clear()


@pytest.fixture
def fresh():
    """A cloud of one's own: `fresh(rollback="delete")`. Not beside `cloud`: one runs at a time."""
    opened: list[LocalCloud] = []

    def start(**settings) -> LocalCloud:
        cloud = LocalCloud(**{"custom_resource_timeout": 5, **settings}).start()
        opened.append(cloud)
        return prepare(cloud)

    yield start
    for cloud in opened:
        cloud.stop()


@pytest.fixture
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def authority(shared: LocalCloud):
    """pebble beside the module's cloud."""
    with CertificateAuthority(shared) as started:
        yield started


@pytest.fixture
def client(authority: CertificateAuthority) -> AcmeClient:
    """With an account of its own."""
    made = AcmeClient(authority.directory, str(authority.trust))
    assert made.register().status == 201
    return made


@pytest.fixture(scope="module")
def zone(shared: LocalCloud) -> str:
    """The id of the zone example.com."""
    made = shared.client("route53").create_hosted_zone(Name="example.com", CallerReference="acme")
    return made["HostedZone"]["Id"]
