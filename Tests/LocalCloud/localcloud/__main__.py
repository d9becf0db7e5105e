"""The command line: serve the cloud, run one event, follow a stack."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

from localcloud.acme import CertificateAuthority
from localcloud.cloud import LocalCloud
from localcloud.follower import follow, line
from localcloud.one_event import invoke


def _serve(options: argparse.Namespace) -> int:
    with contextlib.ExitStack() as running:
        cloud = running.enter_context(LocalCloud(port=options.port, runtime=options.runtime, rollback=options.rollback))
        variables = cloud.environment_variables()
        if options.authority:
            authority = running.enter_context(CertificateAuthority(cloud))
            variables |= {"ACME_DIRECTORY": authority.directory, **authority.variables}
        if options.command:
            return subprocess.run(options.command, env={**os.environ, **variables}, check=False).returncode
        print(f"# A cloud at {cloud.endpoint}, account {cloud.account}, region {cloud.region}. Ctrl-C ends it.")
        for name, value in variables.items():
            print(f"export {name}={shlex.quote(value)}")
        sys.stdout.flush()
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        ended.wait()
    return 0


def _shown(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2)
    except ValueError:
        return body.decode("utf-8", "replace")


def _invoke(options: argparse.Namespace) -> int:
    variables = dict(entry.split("=", 1) for entry in options.variable)
    payload = sys.stdin.read() if options.payload == "-" else Path(options.payload).read_text()
    with LocalCloud(runtime=options.runtime) as cloud:
        outcome = invoke(cloud, Path(options.zip), payload, options.template, variables, options.handler)
    print(outcome.log)
    for status, body in outcome.replies:
        print(f"--- reply to CloudFormation (answered with {status})")
        print(_shown(body))
    print(f"--- the function's {'error' if outcome.error else 'result'}")
    print(_shown(outcome.result))
    return 1 if outcome.error else 0


def _follow(options: argparse.Namespace) -> int:
    import boto3

    last = ""
    for event in follow(boto3.client("cloudformation"), options.stack):
        print(line(event), flush=True)
        if event["ResourceType"] == "AWS::CloudFormation::Stack":
            last = event["ResourceStatus"]
    return 0 if last in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE") else 1


def _provider_template() -> Path | None:
    """templates/provider.yml of the repository in whose folder, or below it, the command runs."""
    for directory in [Path.cwd(), *Path.cwd().parents]:
        if (directory / "templates" / "provider.yml").exists():
            return directory / "templates" / "provider.yml"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m localcloud", description=__doc__)
    commands = parser.add_subparsers(required=True)

    serve = commands.add_parser("serve", help="serve the cloud for the AWS CLI, or for one command")
    serve.add_argument("--port", type=int, default=0, help="loopback port; 0 lets the system choose")
    serve.add_argument("--runtime", choices=["process", "rie"], default="process")
    serve.add_argument("--rollback", choices=["update", "delete"], default="update")
    serve.add_argument("--authority", action="store_true", help="also serve a certificate authority (pebble)")
    serve.add_argument("command", nargs="*", help="run this with the cloud's environment, then end")
    serve.set_defaults(run=_serve)

    one = commands.add_parser("invoke", help="run one event through a packaged zip")
    one.add_argument("--zip", required=True)
    one.add_argument(
        "--template", type=Path, default=_provider_template(), help="provider's template (default: the repository's)"
    )
    one.add_argument(
        "--plain",
        dest="template",
        action="store_const",
        const=None,
        help="no template: a function that may do everything",
    )
    one.add_argument("--handler", default="bootstrap", help="with --plain")
    one.add_argument("--variable", action="append", default=[], metavar="NAME=VALUE", help="with --plain")
    one.add_argument("--runtime", choices=["process", "rie"], default="process")
    one.add_argument("payload", help="JSON file, or - for standard input")
    one.set_defaults(run=_invoke)

    following = commands.add_parser(
        "follow", help="print a stack's events as they come (settings from the environment)"
    )
    following.add_argument("stack")
    following.set_defaults(run=_follow)

    options = parser.parse_args()
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
