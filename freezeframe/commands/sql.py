"""`freezeframe sql FILE.sqlite "SELECT ..."`: ask a snapshot file, read-only."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("select")
@click.option("--json", "as_json", is_flag=True, help="Rows as a JSON list of objects.")
def command(file: Path, select: str, as_json: bool) -> None:
    """Ask a snapshot FILE one SELECT."""
    from datasource.store.read import query
    from freezeframe.show import print_rows

    answer = query(file, select)
    if as_json:
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        click.echo(json.dumps(rows, ensure_ascii=False, default=_bytes))
    else:
        print_rows(answer.columns, answer.rows)
    if answer.cut:
        click.echo(f"only the first {len(answer.rows)} rows are shown; add a LIMIT or a filter", err=True)


def _bytes(value: object) -> str:
    """A BLOB (only a query can make one) as hexadecimal."""
    return value.hex() if isinstance(value, bytes) else str(value)
