"""Where each value comes from, printed for people and as JSON."""

from collections.abc import Iterator
from typing import Any

from compiler.compiled import FunctionReport
from compiler.explain import Copy, ExplainedTable, Range
from compiler.words import CFA

SHOWN_COPIES = 10
"""Of one function, in print; the JSON form has all."""


def as_lines(report: FunctionReport, explained: ExplainedTable) -> Iterator[str]:
    """What is said of one function of the spec."""
    columns = {name: (expression, kind) for name, expression, kind in report.columns}
    for copy in explained.copies[:SHOWN_COPIES]:
        first, last = copy.lines
        yield f"  {copy.function}, {copy.file}:{first}-{last}, code at {_pcs(copy.pcs)}"
        for call in copy.inlined:
            yield f"    inlined in {call}"
        for column in copy.columns:
            expression, kind = columns[column.column]
            named = column.column if column.column == expression else f"{column.column}: {expression}"
            yield f"    {named} {kind or '(not in this binary)'}"
            if not column.places:
                yield "      it calls nothing: only a goroutine on a CPU can stand here (--exact)"
            width = max((len(_lines(place.lines)) for place in column.places), default=0)
            for place in column.places:
                yield f"      {_lines(place.lines):{width}}  {place.words}"
    if len(explained.copies) > SHOWN_COPIES:
        yield f"  and {len(explained.copies) - SHOWN_COPIES} more copies of the code; --json shows them all"


def legend() -> str:
    """What the words rest on."""
    return CFA


def as_json(explained: ExplainedTable) -> list[dict[str, Any]]:
    """The copies of one function."""
    return [_copy(copy) for copy in explained.copies]


def _copy(copy: Copy) -> dict[str, Any]:
    return {
        "function": copy.function,
        "file": copy.file,
        "lines": list(copy.lines),
        "pcs": [[f"{lo:#x}", f"{hi:#x}"] for lo, hi in copy.pcs],
        "inlined_in": list(copy.inlined),
        "columns": [
            {
                "column": column.column,
                "places": [
                    {
                        "words": place.words,
                        "reason": place.reason or None,
                        "lines": [list(run) for run in place.lines],
                        "pcs": [[f"{lo:#x}", f"{hi:#x}"] for lo, hi in place.pcs],
                    }
                    for place in column.places
                ],
            }
            for column in copy.columns
        ],
    }


def _pcs(pcs: tuple[Range, ...]) -> str:
    return ", ".join(f"{lo:#x}-{hi:#x}" for lo, hi in pcs)


def _lines(runs: tuple[Range, ...]) -> str:
    if not runs:
        return "no line"
    texts = [str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in runs]
    one = len(runs) == 1 and runs[0][0] == runs[0][1]
    return f"{'line' if one else 'lines'} {', '.join(texts)}"
