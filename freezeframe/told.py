"""What compiling a spec for a binary had to tell, also what an earlier run was told: without compiler, spec reader or click.

Importing those takes longer than all the rest of a run that finds everything in the cache.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from compiler.ir.errors import FreezeframeError


class Told(NamedTuple):
    """What there is to tell, of which binary, and where it came from."""

    report: dict[str, Any]
    """As `Compiled.plain` has it."""
    build_id: str
    go_version: str
    cached: bool
    index_ms: float = 0.0


class Asked(NamedTuple):
    """`freezeframe compile` in its plain form, which is answered without click."""

    binary: Path
    spec_file: Path
    as_json: bool


def asked_plainly(arguments: Sequence[str]) -> Asked | None:
    """What `compile BINARY --spec SPEC` asks for; None of any other command or form."""
    match arguments:
        case ["compile", binary, "--spec", spec, *rest] if rest in ([], ["--json"]):
            options = binary.startswith("-") or spec.startswith("-")
            return None if options else Asked(Path(binary), Path(spec), bool(rest))
        case _:
            return None


def answer(asked: Asked) -> None:
    """Tell what compiling told before, or compile."""
    began = time.perf_counter()
    told = told_in_cache(asked.binary, asked.spec_file)
    if told is None:
        from freezeframe.compiling import compile_file

        with compile_file(asked.binary, asked.spec_file) as compiling:
            told = compiling.told
    tell(full_report(told, began), as_json=asked.as_json)


def told_in_cache(binary: Path, spec_file: Path) -> Told | None:
    """What compiling the same spec for the same binary told before."""
    from compiler.ir.build_id import read_identity
    from compiler.ir.files import open_regular
    from datasource.cache import Cache, cache_directory, hash_of
    from freezeframe.spec_text import read_spec_text

    try:
        with open_regular(binary) as file:
            identity = read_identity(file)
        if not spec_file.is_file():  # of a pipe there is nothing left for who reads it next
            return None
        text = read_spec_text(spec_file).decode("utf-8-sig")
    except (OSError, ValueError, FreezeframeError):
        return None  # whatever is wrong is told by who reads it next
    cache = Cache(cache_directory())
    report = cache.report(identity.compiled_as, hash_of(text), cache.runtime_types(identity.build_id))
    return None if report is None else Told(report, identity.build_id, identity.go_version or "unknown", cached=True)


def full_report(told: Told, began: float) -> dict[str, Any]:
    """The report as JSON has it, with how long it took from `began` (perf_counter) on."""
    took_ms = (time.perf_counter() - began) * 1e3
    return {
        "build_id": told.build_id,
        "go_version": told.go_version,
        "functions": [
            {
                "function": function["function"],
                "table": function["table"],
                "instances": [
                    {"name": name, "pc": f"{lo:#x}", "end": f"{hi:#x}", "inlined": level > 0}
                    for name, lo, hi, level in function["instances"]
                ],
                "columns": [
                    {"column": column, "expr": expression, "type": kind}
                    for column, expression, kind in function["columns"]
                ],
            }
            for function in told.report["functions"]
        ],
        "issues": told.report["issues"],
        "timings": {"index_ms": told.index_ms, "compile_ms": took_ms - told.index_ms, "cached": told.cached},
    }


def tell(report: dict[str, Any], *, as_json: bool) -> None:
    """Print a full report, for a program or for people."""
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
        return
    for function in report["functions"]:
        print(f"{function['function']} -> table {function['table']}")
        for instance in function["instances"]:
            how = "inlined at" if instance["inlined"] else "code at"
            print(f"  {how} {instance['pc']}-{instance['end']}")
        for column in function["columns"]:
            print(f"  {column['column']}: {column['expr']} {column['type'] or '(not in this binary)'}")
    for issue in report["issues"]:
        print(issue_line(issue["message"], issue["nearest"]))
    timings = report["timings"]
    took = "from the cache" if timings["cached"] else f"index {timings['index_ms']:.0f} ms"
    print(f"{took}, compile {timings['compile_ms']:.0f} ms")


def issue_line(message: str, nearest: Sequence[str]) -> str:
    """An Issue as one line."""
    near = f"; nearest: {', '.join(nearest)}" if nearest else ""
    return f"issue: {message}{near}"
