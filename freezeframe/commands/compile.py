"""`freezeframe compile BINARY --spec SPEC.yaml`: what will be captured where. Needs no root and touches no process."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compiler.ir.errors import BadInput
from freezeframe.compiling import compile_file
from freezeframe.told import Asked, answer, full_report, issue_line, tell

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
    if not explained and not debug:
        answer(Asked(binary, spec_file, as_json))
        return
    began = time.perf_counter()
    with compile_file(binary, spec_file, debug) as (compiled, told, opened):
        if not explained:
            tell(full_report(told, began), as_json=as_json)
            return
        from compiler.explain import explain

        places = explain(compiled.program, opened, exact=exact)
    if as_json:
        _tell_places(full_report(told, began), places)
    else:
        _explain(compiled, places)


def _tell_places(report: dict[str, Any], places: "tuple[ExplainedTable, ...]") -> None:
    from freezeframe.explained import as_json

    for function, table in zip(report["functions"], places, strict=True):
        function["copies"] = as_json(table)
    tell(report, as_json=True)


def _explain(compiled: "Compiled", places: "tuple[ExplainedTable, ...]") -> None:
    from freezeframe.explained import as_lines, legend

    for function, table in zip(compiled.functions, places, strict=True):
        click.echo(f"{function.function} -> table {function.table}")
        for line in as_lines(function, table):
            click.echo(line)
    for issue in compiled.issues:
        click.echo(issue_line(issue.message, issue.nearest))
    click.echo(legend())
