"""`freezeframe compile BINARY --spec SPEC.yaml`: what will be captured where. Needs no root and touches no process."""

import gc
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from compiler.ir.errors import BadInput, FreezeframeError

if TYPE_CHECKING:
    from compiler.compiled import Compiled
    from compiler.explain import ExplainedTable


@click.command()
@click.argument("binary", type=click.Path(path_type=Path))
@click.option("--spec", "spec_file", type=click.Path(path_type=Path), required=True, help="What to collect (YAML).")
@click.option("--explain", "explained", is_flag=True, help="Say where each value comes from, line by line.")
@click.option("--exact", is_flag=True, help="With --explain: for goroutines on a CPU, not for those that wait.")
@click.option(
    "--debug", type=click.Path(path_type=Path), multiple=True, help="Debug info kept apart: a file or folder."
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(
    binary: Path, spec_file: Path, explained: bool, exact: bool, debug: tuple[Path, ...], as_json: bool
) -> None:
    """Show what a spec will capture of a BINARY, and where it is."""
    if exact and not explained:
        raise BadInput("--exact says how to explain", remedy="give it together with --explain")
    gc.disable()  # this ends soon: looking for cycles among young objects would be a tenth of its time
    began = time.perf_counter()
    kept = None if explained or debug else _kept(binary, spec_file)
    told = kept or _compiled(binary, spec_file, debug, explained=explained, exact=exact)
    took_ms = (time.perf_counter() - began) * 1e3
    timings = {"index_ms": told.index_ms, "compile_ms": took_ms - told.index_ms, "cached": told.cached}
    report = {**_report(told), "timings": timings}
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    elif told.compiled is not None and told.places is not None:
        _explain(told.compiled, told.places)
    else:
        _tell(report)


class _Told(NamedTuple):
    """What there is to tell, of which binary, and where it came from."""

    report: dict[str, Any]
    """As `Compiled.plain` has it."""
    build_id: str
    go_version: str
    cached: bool
    index_ms: float = 0.0
    compiled: "Compiled | None" = None
    places: "tuple[ExplainedTable, ...] | None" = None


def _kept(binary: Path, spec_file: Path) -> _Told | None:
    """What compiling the same spec for the same binary told before; it takes no compiler and no spec reader to say it again."""
    from compiler.ir.build_id import read_identity
    from datasource.cache import Cache, cache_directory, hash_of
    from freezeframe.spec_text import read_spec_text

    try:
        with binary.open("rb") as file:
            identity = read_identity(file)
        text = read_spec_text(spec_file).decode("utf-8-sig")
    except (OSError, ValueError, FreezeframeError):
        return None  # whatever is wrong is told by who reads it next
    cache = Cache(cache_directory())
    report = cache.report(identity.compiled_as, hash_of(text), cache.runtime_types(identity.build_id))
    return None if report is None else _Told(report, identity.build_id, identity.go_version or "unknown", cached=True)


def _compiled(binary: Path, spec_file: Path, debug: tuple[Path, ...], *, explained: bool, exact: bool) -> _Told:
    from compiler.binary import Binary
    from compiler.dwarf.debugfile import DebugFiles
    from datasource.cache import Cache, cache_directory
    from datasource.compiling import compile_cached
    from freezeframe.specs import load_spec

    spec = load_spec(spec_file)
    cache = Cache(cache_directory())
    with Binary(binary, cache, DebugFiles(debug)) as opened:
        known = cache.runtime_types(opened.build_id)
        compiled, cached = compile_cached(cache, spec, opened, known)
        places = None
        if explained:
            from compiler.explain import explain

            places = explain(compiled.program, opened, exact=exact)
        told = compiled.plain()
        return _Told(told, opened.build_id, opened.go_version, cached, opened.index_ms, compiled, places)


def _report(told: _Told) -> dict[str, Any]:
    report: dict[str, Any] = {
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
    }
    if told.places is not None:
        from freezeframe.explained import as_json

        for function, table in zip(report["functions"], told.places, strict=True):
            function["copies"] = as_json(table)
    return report


def _explain(compiled: "Compiled", places: "tuple[ExplainedTable, ...]") -> None:
    from freezeframe.explained import as_lines, legend
    from freezeframe.show import issue_line

    for function, table in zip(compiled.functions, places, strict=True):
        click.echo(f"{function.function} -> table {function.table}")
        for line in as_lines(function, table):
            click.echo(line)
    for issue in compiled.issues:
        click.echo(issue_line(issue))
    click.echo(legend())


def _tell(report: dict[str, Any]) -> None:
    for function in report["functions"]:
        click.echo(f"{function['function']} -> table {function['table']}")
        for instance in function["instances"]:
            how = "inlined at" if instance["inlined"] else "code at"
            click.echo(f"  {how} {instance['pc']}-{instance['end']}")
        for column in function["columns"]:
            click.echo(f"  {column['column']}: {column['expr']} {column['type'] or '(not in this binary)'}")
    for issue in report["issues"]:
        from compiler.ir.frames import Issue
        from freezeframe.show import issue_line

        click.echo(issue_line(Issue(**issue)))
    timings = report["timings"]
    took = "from the cache" if timings["cached"] else f"index {timings['index_ms']:.0f} ms"
    click.echo(f"{took}, compile {timings['compile_ms']:.0f} ms")
