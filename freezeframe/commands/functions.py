"""`freezeframe functions BINARY PATTERN`: which functions a spec can name. Needs no root and touches no process."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from compiler.naming.catalog import FunctionEntry


@click.command()
@click.argument("binary", type=click.Path(path_type=Path))
@click.argument("pattern")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Functions to show.")
@click.option(
    "--debug", type=click.Path(path_type=Path), multiple=True, help="Debug info kept apart: a file or folder."
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(binary: Path, pattern: str, limit: int, debug: tuple[Path, ...], as_json: bool) -> None:
    """List the functions of a BINARY that a spec can name.

    PATTERN is what a spec's `function` may be: a name, or with * for any text ("net/http.(*Server).*"). Any other text is
    looked for within the names, in whatever case.
    """
    from compiler.binary import Binary
    from compiler.dwarf.debugfile import DebugFiles
    from compiler.naming.catalog import list_functions
    from freezeframe.show import print_rows

    with Binary(binary, debug_files=DebugFiles(debug)) as opened:
        found = list_functions(opened, pattern, limit)
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    rows = [(each.name, _kind(each), each.copies, _inlined(each)) for each in found.functions]
    print_rows(("function", "kind", "copies", "inlined"), rows)
    if found.more:
        click.echo(f"and {found.more} more; narrow the pattern, or raise --limit")


def _kind(entry: "FunctionEntry") -> str:
    words: str = entry.kind
    if entry.shapes:
        words = f"generic {words}, {len(entry.shapes)} shape{'s' if len(entry.shapes) > 1 else ''}"
    if entry.hidden:
        return f"{words}, a wrapper: not shown"
    if not entry.copies:
        return f"{words}, inlined only" if entry.inlined else f"{words}, no code"
    return words


def _inlined(entry: "FunctionEntry") -> str:
    return f"{entry.inlined}+" if entry.more else str(entry.inlined)
