"""Servers of automated.yml and backend-certificate.yml, started on this machine from their launch template's own user
data: its script that fetches the bundle, its application, its stunnel configuration. Only paths and ports differ."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from localcloud import LocalCloud

from support import tls

STUNNEL = "/usr/bin/stunnel"


def user_data(cloud: LocalCloud, group: str) -> str:
    """The user data of the launch template version that an auto scaling group starts servers from now."""
    autoscaling, ec2 = cloud.client("autoscaling"), cloud.client("ec2")
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"][0]
    wanted = found["LaunchTemplate"]
    versions = ec2.describe_launch_template_versions(
        LaunchTemplateId=wanted["LaunchTemplateId"], Versions=[str(wanted["Version"])]
    )["LaunchTemplateVersions"]
    return base64.b64decode(versions[0]["LaunchTemplateData"]["UserData"]).decode()


def files_written(script: str) -> dict[str, str]:
    """Path to content of every file that a script writes with `cat > PATH <<'WORD'`."""
    found = re.finditer(r"^cat > (\S+) <<'(\w+)'\n(.*?)^\2$", script, re.MULTILINE | re.DOTALL)
    return {match[1]: textwrap.dedent(match[3]) for match in found}


@dataclass(frozen=True)
class Server:
    """A running server: its directory with the key, the port of its TLS front."""

    directory: Path
    port: int

    @property
    def certificate(self) -> str:
        return (self.directory / "certificate.pem").read_text()


def fetch(script: str, s3_key: str, directory: Path, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """Run the user data's own fetch-certificate with a server's credentials."""
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "fetch-certificate"
    program.write_text(files_written(script)["/usr/local/sbin/fetch-certificate"])
    # The AWS CLI and python3 are this virtual environment's.
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return subprocess.run(
        ["/bin/bash", str(program), s3_key, str(directory)],
        env={**environment, "PATH": path, "HOME": str(directory)},
        capture_output=True,
        text=True,
    )


def bundle_key(cloud: LocalCloud, script: str, role_arn: str) -> str:
    """What the user data's pointer names now, read with the server's role."""
    name = re.search(r"ssm get-parameter --region \S+ --name (\S+)", script)
    if not name:
        raise ValueError("the user data reads no pointer")
    return cloud.client("ssm", as_role=role_arn).get_parameter(Name=name[1])["Parameter"]["Value"]


@contextlib.contextmanager
def serving(cloud: LocalCloud, script: str, role_arn: str, directory: Path) -> Iterator[Server]:
    """Boot: fetch the bundle with the role's credentials, start the application, start stunnel in front of it."""
    environment = cloud.environment_variables(cloud.session(role_arn, "i-0123456789abcdef0"))
    done = fetch(script, bundle_key(cloud, script, role_arn), directory, environment)
    if done.returncode:
        raise RuntimeError(f"fetch-certificate: {done.stderr.strip()}")
    files, plain, secured = files_written(script), tls.free_port(), tls.free_port()
    application = directory / "app.py"
    application.write_text(files["/opt/app/app.py"])
    configuration = files["/etc/stunnel/backend.conf"]
    for here, there in (
        ("/etc/stunnel/", f"{directory}/"),
        ("accept = 8443", f"accept = 127.0.0.1:{secured}"),
        ("127.0.0.1:8080", f"127.0.0.1:{plain}"),
    ):
        if here not in configuration:
            raise ValueError(f"the stunnel configuration lacks {here}")
        configuration = configuration.replace(here, there)
    # Becoming nobody is for root only, and so is a process id file in /run.
    configuration = re.sub(r"^set[ug]id = .*\n", "", configuration, flags=re.MULTILINE)
    (directory / "backend.conf").write_text("pid =\n" + configuration)
    variables = {"PORT": str(plain), "GENERATION": str(directory / "generation"), "PATH": os.defpath}
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            tls.running([sys.executable, str(application)], plain, directory / "app.log", env=variables)
        )
        stunnel = shutil.which("stunnel", path="/usr/bin:/usr/local/bin:/usr/sbin") or STUNNEL
        stack.enter_context(tls.running([stunnel, str(directory / "backend.conf")], secured, directory / "tls.log"))
        yield Server(directory, secured)
