"""`stackcert pull` beside real bundles: what it writes, what it refuses, and that nothing hurts a server on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import ssl
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from localcloud import LocalCloud
from support import documents, tls
from support.agent import Agent, server_role
from support.application import Application
from support.paths import REPOSITORY
from support.provider import Provider
from support.renewal import eventually
from support.surroundings import surroundings

pytestmark = pytest.mark.alone


@pytest.fixture
def application(app: Callable[..., Application]) -> Application:
    made = app()
    assert made.create().status == "CREATE_COMPLETE"
    return made


@pytest.fixture
def agent(provider: Provider, application: Application, tmp_path: Path) -> Agent:
    """An agent whose role may read the application's bundles, and whose parameter is not there yet."""
    parameter = f"/stackcert/{application.name}/certificate"
    folder = tmp_path / "server"
    folder.mkdir(mode=0o755)
    role = server_role(provider, application, parameter)
    return Agent(provider.cloud, provider.bucket, parameter, role, folder)


def rotate(application: Application, agent: Agent, rotation: str) -> str:
    """Another key for the application, and the servers' pointer to it; the public key."""
    assert application.update(Rotation=rotation).status == "UPDATE_COMPLETE"
    agent.point_to(application)
    return application.attributes["PublicKey"]


def presented_key(port: int) -> str:
    return tls.public_key_in(ssl.get_server_certificate(("127.0.0.1", port), timeout=5))


def test_a_server_gets_its_files_follows_the_pointer_and_does_nothing_twice(agent: Agent, application: Application):
    agent.point_to(application)
    assert agent.change() == "written"
    assert agent.served_key() == application.attributes["PublicKey"]
    assert stat.S_IMODE(agent.key.stat().st_mode) == 0o400
    assert stat.S_IMODE(agent.certificate.stat().st_mode) == 0o444
    agent.cloud.recorder.clear()
    assert agent.change() == "unchanged"
    new = rotate(application, agent, "2")
    assert agent.change() == "written"
    assert agent.served_key() == new


def test_each_way_to_fail_has_its_exit_status_and_one_line(agent: Agent, application: Application):
    def fails(status: int, *more: str, **environment: str) -> None:
        done = agent.pull(*more, **environment)
        assert done.returncode == status, done.stderr
        assert done.stderr.startswith("stackcert: ") and done.stderr.count("\n") == 1
        assert "PRIVATE KEY" not in done.stdout + done.stderr

    fails(66)
    agent.point_to(application)
    fails(64, "--mode", "644")
    fails(69, "--endpoint-url", f"http://127.0.0.1:{tls.free_port()}")
    fails(77, "--parameter", "/stackcert/somebody-else/certificate")
    fails(77, "--bucket", "somebody-elses-bucket-of-certificates")
    fails(78, AWS_ACCESS_KEY_ID="", HOME=str(agent.folder))
    (agent.folder / "in-the-way").mkdir()
    fails(73, "--private-key", str(agent.folder / "in-the-way"))
    agent.folder.chmod(0o777)
    fails(73)
    agent.folder.chmod(0o755)
    assert not agent.key.exists()
    assert agent.change() == "written"
    assert agent.change() == "unchanged"


def test_a_bundle_whose_parts_do_not_belong_together_is_refused_and_the_old_files_stay(
    cloud: LocalCloud, agent: Agent, application: Application
):
    agent.point_to(application)
    agent.change()
    before = agent.served_key()
    bucket = f"broken-{application.name}"[:60].strip("-")
    cloud.client("s3").create_bucket(Bucket=bucket)
    good = {
        "private_key": agent.key.read_text(),
        "certificate": agent.certificate.read_text(),
        "public_key": tls.openssl("pkey", "-in", str(agent.key), "-pubout"),
    }
    other = tls.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    agent.role = cloud.create_role(
        f"{application.name}-2", {"Effect": "Allow", "Action": ["s3:GetObject", "ssm:GetParameter"], "Resource": "*"}
    )
    for name, broken in {
        "key": {**good, "private_key": other},
        "public": {**good, "public_key": tls.openssl("pkey", "-pubout", stdin=other)},
        "missing": {"certificate": good["certificate"]},
    }.items():
        cloud.client("s3").put_object(Bucket=bucket, Key=name, Body=json.dumps(broken).encode())
        cloud.client("ssm").put_parameter(Name=agent.parameter, Type="String", Overwrite=True, Value=name)
        done = agent.pull("--bucket", bucket)
        assert done.returncode == 65, done.stderr
        assert "PRIVATE KEY" not in done.stdout + done.stderr
        assert agent.served_key() == before
    cloud.client("s3").put_object(Bucket=bucket, Key="large", Body=bytes(20 << 20))
    for pointer, said in {"large": "is too large. It is no bundle.", " ": "is empty"}.items():
        cloud.client("ssm").put_parameter(Name=agent.parameter, Type="String", Overwrite=True, Value=pointer)
        done = agent.pull("--bucket", bucket)
        assert (done.returncode, said in done.stderr) == (65, True), done.stderr
        assert agent.served_key() == before


@pytest.fixture
def stunnel(agent: Agent, application: Application, tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen]]:
    """A real stunnel with the agent's files; its port and process."""
    agent.point_to(application)
    agent.change()
    port = tls.free_port()
    configuration = tmp_path / "stunnel.conf"
    configuration.write_text(
        f"foreground = yes\npid = {tmp_path}/stunnel.pid\n[backend]\naccept = 127.0.0.1:{port}\n"
        f"connect = 127.0.0.1:1\ncert = {agent.certificate}\nkey = {agent.key}\n"
    )
    with tls.running([tls.STUNNEL, str(configuration)], port, tmp_path / "stunnel.log") as process:
        yield port, process


def test_a_running_stunnel_takes_the_new_certificate_by_a_signal(
    agent: Agent, application: Application, stunnel: tuple[int, subprocess.Popen]
):
    port, process = stunnel
    assert presented_key(port) == application.attributes["PublicKey"]
    new = rotate(application, agent, "2")
    assert agent.change("--reload", f"kill -HUP {process.pid}") == "written"

    def shows_the_new_key() -> bool:
        try:
            return presented_key(port) == new
        except ConnectionError:
            # This stunnel has a socket of its own and opens it anew: who is in its queue is cut off. The templates have
            # systemd keep the socket, for which test_reload counts handshakes.
            return False

    eventually(shows_the_new_key)
    assert presented_key(port) == new
    assert process.poll() is None


def test_a_failed_reload_brings_the_old_files_back_and_loads_them_again(
    agent: Agent, application: Application, tmp_path: Path
):
    agent.point_to(application)
    calls = tmp_path / "calls"
    accept = tmp_path / "accept.sh"
    show = f"openssl x509 -in {agent.certificate} -noout -pubkey"
    accept.write_text(f"{show} >> {calls}; test $(wc -l < {calls}) -ne 8\n")
    assert agent.change("--reload", f"sh {accept}") == "written"
    old = agent.served_key()
    new = rotate(application, agent, "2")
    done = agent.pull("--reload", f"sh {accept}")
    assert done.returncode == 75, done.stderr
    assert agent.served_key() == old != new
    # Four lines for each of the loads: the first files, the refused ones, the first ones again.
    assert len(calls.read_text().splitlines()) == 12
    assert agent.change("--reload", f"sh {accept}") == "written"
    assert agent.served_key() == new


def test_killed_at_any_moment_it_leaves_a_matching_pair_and_no_key_that_others_can_read(
    agent: Agent, application: Application
):
    agent.point_to(application)
    agent.change()
    first = application.attributes["CertificateS3Key"]
    new = rotate(application, agent, "2")
    keys = [first, application.attributes["CertificateS3Key"]]
    ssm = agent.cloud.client("ssm")
    dice = random.Random(7)
    seen, exposed, stop = [], [], threading.Event()

    def only_if_gone(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    def look() -> None:
        while not stop.is_set():
            # Folders vanish while they are read.
            walk = os.walk(agent.folder, onerror=only_if_gone)
            for path in (Path(folder) / name for folder, _, names in walk for name in names):
                try:
                    facts = path.lstat()
                    if stat.S_ISREG(facts.st_mode) and facts.st_mode & 0o077 and b"PRIVATE" in path.read_bytes():
                        exposed.append((str(path), oct(facts.st_mode)))
                    seen.append(path.name)
                except FileNotFoundError:
                    pass

    watcher = threading.Thread(target=look)
    watcher.start()
    killed = 0
    environment = agent.environment
    try:
        for number in range(40):
            ssm.put_parameter(Name=agent.parameter, Type="String", Overwrite=True, Value=keys[number % 2])
            process = subprocess.Popen(agent.arguments(), env=environment, stdout=subprocess.DEVNULL)
            time.sleep(dice.uniform(0.01, 0.25))
            process.kill()
            killed += process.wait(10) == -signal.SIGKILL
            agent.served_key()
    finally:
        stop.set()
        watcher.join()
    assert exposed == []
    assert "private-key.pem" in seen
    assert 5 <= killed <= 40
    agent.point_to(application)
    agent.change()
    assert agent.served_key() == new
    versions = [path for path in (agent.folder / ".server.key.stackcert").iterdir() if not path.is_symlink()]
    assert len(versions) == 2, "the current version and the lock"


def test_a_watcher_waits_for_the_first_bundle_follows_it_and_ends_at_once(agent: Agent, application: Application):
    process = agent.start("--watch", "--interval", "1s", "--wait", "1m")
    try:
        time.sleep(1)
        assert process.poll() is None
        agent.point_to(application)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("written: ")
        new = rotate(application, agent, "2")
        assert process.stdout.readline().startswith("written: ")
        assert agent.served_key() == new
        started = time.monotonic()
        process.terminate()
        # By the signal: systemd takes that for a clean end, and shells still see 143.
        assert process.wait(5) == -signal.SIGTERM
        assert time.monotonic() - started < 1
    finally:
        process.kill()
        process.wait()


def test_the_files_belong_to_whom_they_are_made_for(agent: Agent, application: Application):
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    agent.point_to(application)
    assert agent.change("--owner", "nobody", "--mode", "0440", "--certificate-mode", "0640") == "written"
    for path, mode in (agent.key, 0o440), (agent.certificate, 0o640):
        assert path.owner() == "nobody"
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert agent.change("--owner", "nobody", "--mode", "0440", "--certificate-mode", "0640") == "unchanged"


def test_the_systemd_units_are_valid(tmp_path: Path):
    units = REPOSITORY / "docs" / "systemd"
    for unit in "stackcert-pull.service", "stackcert-pull.timer":
        text = (units / unit).read_text().replace("/usr/local/bin/stackcert", "/bin/true")
        (tmp_path / unit).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "stackcert-pull.timer")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "stackcert" not in done.stderr, done.stderr


# A server that reports by the agent itself, without cfn-signal.
SIGNALS = [
    (
        "/opt/aws/bin/cfn-signal --exit-code $? --stack ${AWS::StackName} --resource Servers --region ${AWS::Region}",
        "echo done",
    ),
    (
        "pull-certificate --wait 5m",
        "pull-certificate --wait ${Patience} --signal-stack ${AWS::StackName} --signal-resource Servers",
    ),
    (
        "              - Sid: FollowOwnPointer\n",
        "              - Effect: Allow\n"
        "                Action: cloudformation:SignalResource\n"
        "                Resource: !Ref AWS::StackId\n"
        "              - Sid: FollowOwnPointer\n",
    ),
    (
        "\nConditions:\n",
        "  Patience: {Type: String, Default: 5m}\n  Pointer: {Type: String, Default: ''}\n\nConditions:\n",
    ),
    ("--parameter ${CertificatePointer}", "--parameter ${CertificatePointer}${Pointer}"),
]


def reporting_template() -> str:
    text = documents.path("automated").read_text()
    for ours, theirs in SIGNALS:
        assert text.count(ours) == 1, ours
        text = text.replace(ours, theirs)
    return text


@pytest.mark.parametrize(
    ("more", "status", "reason"),
    [
        ({}, "CREATE_COMPLETE", ""),
        ({"Pointer": "-missing", "Patience": "2s"}, "ROLLBACK_COMPLETE", "Received FAILURE signal with UniqueId i-"),
    ],
    ids=["success", "failure"],
)
def test_a_booting_server_tells_cloudformation_how_its_first_pull_went(cloud, provider, name, more, status, reason):
    domain = f"{name}.example.com"
    parameters = {
        **surroundings(cloud, domain).parameters,
        "Domain": domain,
        "CertificateBucket": provider.bucket,
        "CreateElbBackendCertificatesArn": provider.arn,
        **more,
    }
    result = cloud.stacks.create(name, reporting_template(), parameters)
    consoles = [instance.console for instance in cloud.instances.all]
    assert result.status == status, consoles
    assert any(reason in text for text in [*result.reasons(), ""]), result.reasons()
    cloud.stacks.delete(name)
