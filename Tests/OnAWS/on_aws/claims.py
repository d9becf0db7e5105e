"""The register of claims: a sentence about AWS, and a probe that finds out whether it is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from on_aws.bench import Bench


@dataclass(frozen=True)
class Seen:
    """What a probe found. `answer` is `yes` or `no`; `evidence` is what AWS said, or what was measured."""

    answer: str
    evidence: str = ""


def decided(holds: bool, evidence: object) -> Seen:
    """`evidence` may be the pair of status and code that `bench.outcome` gives."""
    shown = " ".join(str(part) for part in evidence if part) if isinstance(evidence, tuple) else str(evidence)
    return Seen("yes" if holds else "no", shown)


@dataclass(frozen=True)
class Claim:
    """`needs` is an option of the command line without which the probe cannot run; `not_local` says why the local
    cloud cannot answer."""

    id: str
    sentence: str
    service: str
    probe: Callable[[Bench], Seen]
    needs: str = ""
    not_local: str = ""


claims: dict[str, Claim] = {}


def claim(
    id: str, sentence: str, *, needs: str = "", not_local: str = ""
) -> Callable[[Callable[[Bench], Seen]], Callable[[Bench], Seen]]:
    """Registers the function below it as the probe of a claim."""

    def register(probe: Callable[[Bench], Seen]) -> Callable[[Bench], Seen]:
        if id in claims:
            raise ValueError(f"two claims are named {id}")
        service = str(probe.__globals__["SERVICE"])
        claims[id] = Claim(id, sentence, service, probe, needs, not_local)
        return probe

    return register
