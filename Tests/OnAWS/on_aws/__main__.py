"""The command: asks before it starts, runs the probes, prints a table, writes down what AWS answered."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import NoReturn

from on_aws import answers, place, runner
from on_aws.claims import Claim, Seen, claims
from on_aws.probes import load_all
from on_aws.runner import Run

_MAKES = (
    "Makes and removes buckets, KMS keys (deleted after seven days), roles, stacks, parameters, queues, topics,\n"
    "a hosted zone, certificates, a trail, load balancers and a few small servers. All are named and tagged\n"
    "stackcert-proof. It costs cents, and takes an hour or two; Ctrl-C removes what is there and ends."
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="on_aws", description=__doc__)
    parser.add_argument("--local", action="store_true", help="ask the local cloud; nothing is written")
    parser.add_argument("--yes", action="store_true", help="do not ask before it starts")
    parser.add_argument("--list", action="store_true", help="list the claims, and end")
    parser.add_argument("--readme", action="store_true", help="make the README's section and the file's rows, and end")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="this claim, or all that begin so")
    parser.add_argument("--profile", help="a profile of ~/.aws/config")
    parser.add_argument("--region")
    parser.add_argument("--other-profile", help="a profile of another account, for what happens between accounts")
    parser.add_argument("--domain", help="a domain whose hosted zone is in this account, for Let's Encrypt's staging")
    parser.add_argument("--zip", help="the function's zip, which `make package` builds, for what needs the provider")
    return parser.parse_args()


def _chosen(only: list[str]) -> list[Claim]:
    found = [c for c in claims.values() if not only or any(c.id.startswith(one) for one in only)]
    if not found:
        raise place.CannotStart(f"No claim's id begins with {' or '.join(only)}: --list shows them.")
    return found


def _write_readme() -> int:
    rows = answers.merged(answers.read(), claims)
    answers.write(rows)
    answers.README.write_text(answers.with_section(answers.README.read_text(), answers.section(rows, claims)))
    return 0


def _locally(chosen: list[Claim], options: dict[str, str]) -> int:
    from localcloud import LocalCloud

    with LocalCloud(instances="pretend") as cloud:
        result = runner.run(place.in_local_cloud(cloud, options), chosen, _tell)
    print(runner.table(chosen, result))
    rows = answers.read()
    found = answers.differences(rows, result.seen)
    for line in found:
        print(f"different: {line}", file=sys.stderr)
    print(answers.recorded(rows))
    return _end(result, bool(found))


def _tell(claim: Claim, text: str) -> None:
    print(f"{claim.id}: {text}", file=sys.stderr)


def _show(here: place.Place) -> None:
    """Where it would run, and what it would make."""
    alias = f" ({here.alias})" if here.alias else ""
    print(f"Account {here.account}{alias}, region {here.region}, as {here.caller}.\n{_MAKES}")
    if here.looks_like_production:
        print(f"NOTE: the account's alias {here.alias!r} looks like one that customers depend on.")


def _agreed() -> bool:
    return input("Go on? Only 'yes' is yes: ").strip() == "yes"


def _end(result: Run, different: bool = False) -> int:
    if result.left_behind:
        print("could not be removed:", *result.left_behind, sep="\n  ", file=sys.stderr)
        print(f"look for the tag stackcert-proof={result.name} and remove it by hand", file=sys.stderr)
    failed = [text for text in result.unanswered.values() if text.startswith("no answer")]
    return 1 if different or result.left_behind or failed else 0


def _terminated(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _on_aws(arguments: argparse.Namespace, chosen: list[Claim], options: dict[str, str]) -> int:
    here = place.on_aws(arguments.profile, arguments.region, options)
    _show(here)
    if not arguments.yes and not _agreed():
        print("Nothing was asked, nothing was made.")
        return 1
    signal.signal(signal.SIGTERM, _terminated)
    answers.write(answers.merged(answers.read(), claims))

    def keep(claim: Claim, seen: Seen) -> None:
        answers.record(claim, seen, here.region)

    result = runner.run(here, chosen, _tell, keep)
    print(runner.table(chosen, result))
    print(answers.recorded(answers.read()))
    return _end(result)


def main() -> int:
    arguments = _arguments()
    load_all()
    wanted = {"other-profile": arguments.other_profile, "domain": arguments.domain, "zip": arguments.zip}
    options = {key: value for key, value in wanted.items() if value}
    try:
        chosen = _chosen(arguments.only)
        if arguments.list:
            print("\n".join(f"{c.id}: {c.sentence}" + (f" [needs --{c.needs}]" if c.needs else "") for c in chosen))
            return 0
        if arguments.readme:
            return _write_readme()
        return _locally(chosen, options) if arguments.local else _on_aws(arguments, chosen, options)
    except place.CannotStart as error:
        print(f"on_aws: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("on_aws: interrupted; what was made has been removed, as far as nothing else is said.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
