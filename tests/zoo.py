"""What tests/targets/zoo says of itself, a spec made from it, and the judge of what a snapshot says of the same."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from compiler.ir.limits import Limits

LIMITS = {
    "depth": 12, "slice_items": 10_000, "map_entries": 10_000, "string_bytes": 20_000, "frames": 10_000, "pause_ms": 60_000,
}  # fmt: skip
AT_DEFAULT_DEPTH = {"main.chained"}
"""Functions whose values are to be whole at the depth that a spec has by itself."""
MISSING = {"$missing": True}
TORN = {"$torn": True}
ABSENT = '{"$absent":'


@dataclass(frozen=True)
class Function:
    """A function of the zoo: its table, the expressions told of it, and its frames by goroutine, outermost first."""

    name: str
    table: str
    columns: dict[str, str]
    frames: dict[int, list[dict[str, Any]]]


@dataclass
class Verdict:
    """How many values were right, which are missing (with the reason), and which are wrong."""

    right: int = 0
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def functions(truth: list[dict[str, Any]]) -> list[Function]:
    """The zoo's word, by function."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in truth:
        found[row["function"]].append(row)
    named = []
    for number, (name, rows) in enumerate(sorted(found.items())):
        expressions = sorted({expression for row in rows for expression in row["values"]})
        frames: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            frames[row["goroutine_id"]].append(row["values"])
        columns = {expression: f"c{at}" for at, expression in enumerate(expressions)}
        named.append(Function(name, f"t{number}", columns, dict(frames)))
    return named


def spec_of(named: list[Function], limits: dict[str, int]) -> str:
    """A spec that collects all of it; JSON is YAML."""
    return json.dumps(
        {
            "limits": limits,
            "functions": [
                {
                    "function": each.name,
                    "table": each.table,
                    **({"limits": {"depth": Limits().depth}} if each.name in AT_DEFAULT_DEPTH else {}),
                    "collect": [{"expr": expression, "as": column} for expression, column in each.columns.items()],
                }
                for each in named
            ],
        },
        indent=1,
    )


def verdict(rows: Callable[[str], list[dict[str, Any]]], function: Function) -> Verdict:
    """Of one function, by a snapshot that answers SQL with `rows`."""
    frames: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(f"SELECT * FROM {function.table} ORDER BY depth DESC"):
        frames[row["goroutine_id"]].append(row)
    absences: dict[tuple[int, int, str], dict[str, str]] = defaultdict(dict)
    for row in rows(f"SELECT * FROM absences WHERE table_name = '{function.table}'"):
        why = f"{row['reason']} {row['detail']}".strip()
        absences[row["goroutine_id"], row["depth"], row["column_name"]][row["path"]] = why
    return judge(function, frames, absences)


def judge(
    function: Function, rows: dict[int, list[dict[str, Any]]], absences: dict[tuple[int, int, str], dict[str, str]]
) -> Verdict:
    """Hold the rows of a function's table (by goroutine, outermost first) against the zoo's word.

    `absences`: (goroutine, depth, column) to path and reason.
    """
    verdict = Verdict()
    for goroutine, frames in function.frames.items():
        got = rows.get(goroutine, [])
        if len(got) != len(frames):
            verdict.wrong.append(f"{function.name} in goroutine {goroutine}: {len(got)} rows, not {len(frames)}")
            continue
        for row, frame in zip(got, frames, strict=True):
            for expression, wanted in frame.items():
                column = function.columns[expression]
                reasons = absences.get((goroutine, row["depth"], column), {})
                where = f"{function.name} {expression}"
                _judge_cell(_plain(row[column], wanted), wanted, where, reasons, verdict)
    return verdict


def _plain(cell: Any, like: Any) -> Any:
    """A SQL cell as the zoo would write it: JSON text as its value, 0 and 1 as bool."""
    if isinstance(cell, str) and cell.startswith(ABSENT):
        return json.loads(cell)  # its address is all that is known
    if isinstance(cell, str) and isinstance(like, dict | list) and cell[:1] in ("{", "["):
        return json.loads(cell)
    if isinstance(like, bool) and cell in (0, 1):
        return bool(cell)
    if isinstance(like, int) and isinstance(cell, str) and cell.isdecimal():
        return int(cell)  # uint64 beyond int64
    return cell


def _judge_cell(got: Any, wanted: Any, where: str, reasons: dict[str, str], verdict: Verdict) -> None:
    if wanted == MISSING:
        if got is not None or "" not in reasons:
            verdict.wrong.append(f"{where}: {_short(got)}, though it means nothing here {reasons}")
        return
    if wanted == TORN:
        shown = got is not None and not (isinstance(got, dict) and "$absent" in got)
        if shown or not reasons.get("", "").startswith(("torn", "optimized out")):
            verdict.wrong.append(f"{where}: {_short(got)}, though it is being written {reasons}")
        return
    if got is None and wanted is not None and "" in reasons:
        verdict.missing.append(f"{where}: {reasons['']}")
        return
    if isinstance(got, str) and isinstance(wanted, str) and reasons.get("", "").startswith("cut") and got != wanted:
        _judge_text(got, wanted, where, verdict)
        return
    for path, right, message in _compared(got, wanted, ""):
        if right:
            verdict.right += 1
        elif message.startswith("$") and message[1:].split()[0] in {reason.split()[0] for reason in reasons.values()}:
            verdict.missing.append(f"{where}{path}: {message}")
        else:
            verdict.wrong.append(f"{where}{path}: {message} {reasons.get(path, '')}")


def _judge_text(got: str, wanted: str, where: str, verdict: Verdict) -> None:
    if wanted.startswith(got):
        verdict.missing.append(f"{where}: cut")
    else:
        verdict.wrong.append(f"{where}: {_short(got)} is no beginning of {_short(wanted)}")


def _compared(got: Any, wanted: Any, path: str) -> Iterator[tuple[str, bool, str]]:
    """(path, whether it is right, what is wrong with it) of every value in one."""
    if isinstance(got, dict) and "$absent" in got:
        yield path, False, f"${got['$absent']}"
    elif (
        isinstance(got, dict)
        and got.keys() == {"$value", "$len"}
        and not (isinstance(wanted, dict) and "$len" in wanted)
    ):
        if got["$len"] != (len(wanted.encode()) if isinstance(wanted, str) else len(wanted)):
            yield path, False, f"cut to {got['$len']} of {len(wanted)}"
        yield path, False, f"$cut of {got['$len']}"
        yield from _compared(got["$value"], _first(got["$value"], wanted), path)
    elif isinstance(got, dict) and isinstance(wanted, dict):
        if got.keys() != wanted.keys():
            yield path, False, f"has {_short(got)}, not {_short(wanted)}"
            return
        for key, value in wanted.items():
            step = "" if key == "$value" else f".{key}"
            yield from _compared(got[key], value, path + step)
    elif isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        for at, (one, other) in enumerate(zip(got, wanted, strict=True)):
            yield from _compared(one, other, f"{path}[{at}]")
    elif type(got) is type(wanted) or {type(got), type(wanted)} == {int, float}:
        yield path, got == wanted, f"is {_short(got)}, not {_short(wanted)}"
    else:
        yield path, False, f"is {_short(got)}, not {_short(wanted)}"


def _first(got: Any, wanted: Any) -> Any:
    """As much of the whole value as a cut one has."""
    if isinstance(wanted, dict):
        return {key: wanted[key] for key in got if key in wanted}
    return wanted[: len(got)]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 200 else f"{text[:120]} ... {text[-60:]}"
