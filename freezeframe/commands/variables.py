"""`freezeframe variables BINARY FUNCTION`: what a spec can collect of a function. Needs no root and touches no process."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from compiler.variables import FunctionVariables, Part, VariableEntry


@click.command()
@click.argument("binary", type=click.Path(path_type=Path))
@click.argument("function")
@click.option("--depth", type=click.IntRange(0, 8), default=1, show_default=True, help="Levels of fields to show.")
@click.option(
    "--debug", type=click.Path(path_type=Path), multiple=True, help="Debug info kept apart: a file or folder."
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(binary: Path, function: str, depth: int, debug: tuple[Path, ...], as_json: bool) -> None:
    """List the variables of a FUNCTION of a BINARY, with their types, and from which of its lines on a goroutine shows them.

    FUNCTION is one name, as a spec may write it. The lines are those whose calls a goroutine can wait in.
    """
    from compiler.binary import Binary
    from compiler.dwarf.debugfile import DebugFiles
    from compiler.variables import list_variables

    with Binary(binary, debug_files=DebugFiles(debug)) as opened:
        found = list_variables(opened, function, depth)
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    for line in _told(found):
        click.echo(line)


def _told(found: "FunctionVariables") -> Iterator[str]:
    from freezeframe.show import print_rows

    copies = f"{found.copies} {'copy' if found.copies == 1 else 'copies'} of its code"
    yield f"{found.function}, {found.file}:{found.lines[0]}-{found.lines[1]}, {copies}"
    if found.cut:
        yield f"only the first {found.copies - found.cut} copies were looked at"
    rows = [row for variable in found.variables for row in _rows(variable)]
    print_rows(("expression", "type", "kind", "declared", "at calls on lines"), rows)
    if found.more_parts:
        yield "there are more fields; lower --depth"


def _rows(variable: "VariableEntry") -> Iterator[tuple[str, ...]]:
    kind = variable.kind if variable.asked else f"{variable.kind}, cannot be asked for"
    declared = f"line {variable.line}" if variable.line else ""
    yield variable.name, variable.type, kind, declared, _where(variable)
    yield from _parts(variable.parts, 1)


def _parts(parts: "tuple[Part, ...]", level: int) -> Iterator[tuple[str, ...]]:
    for part in parts:
        yield "  " * level + part.expr, part.type, "", "", ""
        yield from _parts(part.parts, level + 1)


def _where(variable: "VariableEntry") -> str:
    if variable.lines:
        return ", ".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in variable.lines)
    return f"nowhere: {', '.join(variable.absent)}" if variable.absent else "it calls nothing"
