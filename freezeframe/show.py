"""Rows as a table in the terminal."""

from collections.abc import Sequence
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

MAX_CELL = 120
PIPED_WIDTH = 1000


def print_rows(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    title: str = "",
    red_above: tuple[str, float] | None = None,
    console: Console | None = None,
) -> None:
    """Print rows; with `red_above` = (column, threshold) those whose value is larger in red."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    numeric = [any(isinstance(row[i], int | float) for row in rows) for i in range(len(columns))]
    for i, (name, right) in enumerate(zip(columns, numeric, strict=True)):
        # A cut number would be a wrong number: only texts give way where the terminal is narrow.
        widest = max([len(name), *(len(_cell(row[i])) for row in rows)]) if right else None
        justify: Literal["left", "right"] = "right" if right else "left"
        table.add_column(Text(name), justify=justify, overflow="ellipsis", no_wrap=True, min_width=widest)
    watched = list(columns).index(red_above[0]) if red_above and red_above[0] in columns else None
    for row in rows:
        value = row[watched] if watched is not None else None
        old = red_above is not None and isinstance(value, int | float) and value > red_above[1]
        table.add_row(*(Text(_cell(each)) for each in row), style="bold red" if old else None)
    chosen = console or Console()
    if not chosen.is_terminal:
        chosen.width = PIPED_WIDTH
    chosen.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
