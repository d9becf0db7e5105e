"""Runs the probes, one after the other, and tells of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from on_aws.bench import Bench, Inconclusive
from on_aws.claims import Claim, Seen
from on_aws.place import Place

# What needs an option that only AWS can serve.
_UNASKED = "needs --"


@dataclass
class Run:
    seen: dict[str, Seen] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)
    left_behind: list[str] = field(default_factory=list)
    name: str = ""


def reason_against(claim: Claim, place: Place) -> str:
    """Why this probe cannot run here; empty when it can."""
    if place.is_local and claim.not_local:
        return claim.not_local
    if claim.needs == "other-profile":
        return "" if place.other_account else f"{_UNASKED}{claim.needs}"
    return f"{_UNASKED}{claim.needs}" if claim.needs and not place.options.get(claim.needs) else ""


def run(
    place: Place,
    claims: Iterable[Claim],
    tell: Callable[[Claim, str], None] = lambda claim, text: None,
    keep: Callable[[Claim, Seen], None] = lambda claim, seen: None,
) -> Run:
    """`keep` is given each answer as soon as it is there. Everything that was made is removed, whatever happens."""
    result = Run()
    bench = Bench(place)
    result.name = bench.run
    try:
        with bench:
            for claim in claims:
                if reason := reason_against(claim, place):
                    result.unanswered[claim.id] = reason
                    tell(claim, reason)
                    continue
                tell(claim, "…")
                try:
                    seen = claim.probe(bench)
                except Exception as error:
                    # Also a mistake in the probe: it must not cost the answers of the others.
                    expected = isinstance(error, (Inconclusive, ClientError, BotoCoreError))
                    text = f"no answer: {error}" if expected else f"no answer: {type(error).__name__}: {error}"
                    result.unanswered[claim.id] = text
                    tell(claim, text)
                    continue
                result.seen[claim.id] = seen
                keep(claim, seen)
                tell(claim, seen.answer)
    finally:
        result.left_behind = bench.left_behind
    return result


def table(claims: Iterable[Claim], result: Run) -> str:
    """A line for each claim: its answer, or why there is none."""
    claims = list(claims)
    width = max(len(claim.id) for claim in claims)
    answers = {c.id: result.seen[c.id].answer if c.id in result.seen else "-" for c in claims}
    wide = max(len(answer) for answer in answers.values())
    lines = []
    for claim in claims:
        seen = result.seen.get(claim.id)
        more = seen.evidence if seen else result.unanswered.get(claim.id, "was not asked")
        lines.append(f"{claim.id:<{width}}  {answers[claim.id]:<{wide}}  {claim.sentence}")
        if more:
            lines.append(f"{'':<{width}}  {'':<{wide}}  ({more})")
    return "\n".join(lines)
