"""`freezeframe compile BINARY --spec SPEC.yaml`: what will be captured where. Needs no root and touches no process."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from compiler.compile import Compiled
    from compiler.explain import ExplainedTable
    from compiler.ir.frames import Issue


@click.command()
@click.argument("binary", type=click.Path(path_type=Path))
@click.option("--spec", "spec_file", type=click.Path(path_type=Path), required=True, help="What to collect (YAML).")
@click.option("--explain", "explained", is_flag=True, help="Say where each value comes from, line by line.")
@click.option("--exact", is_flag=True, help="With --explain: for goroutines on a CPU, not for those that wait.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(binary: Path, spec_file: Path, explained: bool, exact: bool, as_json: bool) -> None:
    """Show what a spec will capture of a BINARY, and where it is."""
    from compiler.binary import Binary
    from compiler.explain import explain
    from compiler.ir.errors import BadInput
    from datasource.cache import Cache, cache_directory
    from datasource.service import compile_cached
    from freezeframe.specs import load_spec

    if exact and not explained:
        raise BadInput("--exact says how to explain", remedy="give it together with --explain")
    spec = load_spec(spec_file)
    cache = Cache(cache_directory())
    with Binary(binary) as opened:
        known = cache.runtime_types(opened.build_id)
        began = time.perf_counter()
        compiled, cached = compile_cached(cache, spec, opened, known)
        ended = time.perf_counter()
        index_ms = opened.index_ms
        places = explain(compiled.program, opened, exact=exact) if explained else None
    timings = {"index_ms": index_ms, "compile_ms": (ended - began) * 1e3 - index_ms, "cached": cached}
    report = {**_report(compiled, places), "timings": timings}
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    elif places is not None:
        _explain(compiled, places)
    else:
        _tell(report, compiled.issues)


def _report(compiled: "Compiled", places: "tuple[ExplainedTable, ...] | None") -> dict[str, Any]:
    from freezeframe.explained import as_json

    report: dict[str, Any] = {
        "build_id": compiled.program.build_id,
        "go_version": compiled.program.go_version,
        "functions": [
            {
                "function": function.function,
                "table": function.table,
                "instances": [
                    {"name": name, "pc": f"{lo:#x}", "end": f"{hi:#x}", "inlined": level > 0}
                    for name, lo, hi, level in function.instances
                ],
                "columns": [
                    {"column": column, "expr": expression, "type": kind}
                    for column, expression, kind in function.columns
                ],
            }
            for function in compiled.functions
        ],
        "issues": [asdict(issue) for issue in compiled.issues],
    }
    for function, table in zip(report["functions"], places or (), strict=places is not None):
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


def _tell(report: dict[str, Any], issues: "tuple[Issue, ...]") -> None:
    from freezeframe.show import issue_line

    for function in report["functions"]:
        click.echo(f"{function['function']} -> table {function['table']}")
        for instance in function["instances"]:
            how = "inlined at" if instance["inlined"] else "code at"
            click.echo(f"  {how} {instance['pc']}-{instance['end']}")
        for column in function["columns"]:
            click.echo(f"  {column['column']}: {column['expr']} {column['type'] or '(not in this binary)'}")
    for issue in issues:
        click.echo(issue_line(issue))
    timings = report["timings"]
    took = "from the cache" if timings["cached"] else f"index {timings['index_ms']:.0f} ms"
    click.echo(f"{took}, compile {timings['compile_ms']:.0f} ms")
