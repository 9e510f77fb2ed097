"""The judge of what a snapshot says of variables whose values the source tells."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.bodies.body import Body


@dataclass(frozen=True)
class Told:
    """What a twin said of its variables: what they are where the function waits, and all that they ever were."""

    truth: dict[str, Any]
    had: dict[str, list[Any]]


def told(ready: Mapping[str, Any], bodies: Iterable[Body]) -> dict[str, Told]:
    """By function, what the twins said of those that waited."""
    truths, had = ready["told"], ready["had"]
    return {
        each.name: Told(truths[each.name], had.get(each.noted or each.name, {}))
        for each in bodies
        if each.name in truths
    }


@dataclass
class Verdict:
    """Values that are the source's, that a vague variable ever was, that are missing with a reason, and that are others."""

    right: int = 0
    once: int = 0
    missing: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(body: Body, row: dict[str, Any], told: Told, absent: set[str], verdict: Verdict) -> None:
    """Hold a row against what the twin told; `absent`: columns that have a reason to be missing."""
    for at, variable in enumerate(body.variables):
        got, known = row[f"c{at}"], told.truth[variable]
        if f"c{at}" in absent:
            verdict.missing += 1
            continue
        if isinstance(got, str) and got[:1] in ("{", "["):
            got = json.loads(got)
        if variable in body.vague and _ever_was(got, told.had.get(body.vague[variable], [known])):
            verdict.once += 1
            continue
        for part, value, wanted in _parts("", got, known):
            if value == wanted:
                verdict.right += 1
            else:
                what = "is no longer used, " * (variable in body.unused)
                verdict.wrong.append(f"{body.function} {variable}{part}: {what}is {value!r}, not {wanted!r}")


def _ever_was(got: Any, known: list[Any]) -> bool:
    """Whether it, or each part of it, is among what is known."""
    if any(all(value == wanted for _, value, wanted in _parts("", got, each)) for each in known):
        return True
    if isinstance(got, dict):
        same = [each for each in known if isinstance(each, dict)]
        names = {name for each in same for name in each}
        return bool(same) and all(
            _ever_was(got.get(name), [each[name] for each in same if name in each]) for name in names
        )
    if isinstance(got, list):
        like = [each for each in known if isinstance(each, list) and len(each) == len(got)]
        return bool(like) and all(_ever_was(value, [each[at] for each in like]) for at, value in enumerate(got))
    return False


def _parts(where: str, got: Any, known: Any) -> Iterator[tuple[str, Any, Any]]:
    """What can be held against each other: fields and elements that are there, or the value."""
    if isinstance(got, dict) and "$absent" in got:
        return
    if isinstance(got, dict) and "$value" in got:
        got = got["$value"]
    if isinstance(got, str) and isinstance(known, int) and known >> 63:
        got = int(got)  # more than SQL's numbers hold
    if isinstance(known, dict) and isinstance(got, dict):
        for name, wanted in known.items():
            yield from _parts(f"{where}.{name}", got.get(name), wanted)
    elif isinstance(known, list) and isinstance(got, list) and len(known) == len(got):
        for at, (value, wanted) in enumerate(zip(got, known, strict=True)):
            yield from _parts(f"{where}[{at}]", value, wanted)
    else:
        yield where, got, known
