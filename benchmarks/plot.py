"""Bars and lines as SVG pictures."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

WIDTH, LABEL, BAR, GAP = 900, 300, 18, 6
COLOURS = {"ours": "#2a7ab9", "other": "#b0b0b0"}


def bars(title: str, groups: Sequence[tuple[str, Sequence[tuple[str, float, bool]]]], unit: str) -> str:
    """Groups of (label, value, is ours) as horizontal bars, each group to its own scale."""
    rows, y = [f'<text x="10" y="24" font-size="16" font-weight="bold">{escape(title)}</text>'], 44
    for name, values in groups:
        rows.append(f'<text x="10" y="{y + 14}" font-weight="bold">{escape(name)}</text>')
        y += BAR + GAP
        largest = max(value for _, value, _ in values) or 1
        for label, value, ours in values:
            length = (WIDTH - LABEL - 110) * value / largest
            colour = COLOURS["ours" if ours else "other"]
            rows.append(f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>')
            rows.append(f'<rect x="{LABEL}" y="{y}" width="{max(length, 1):.1f}" height="{BAR}" fill="{colour}"/>')
            rows.append(f'<text x="{LABEL + length + 6:.1f}" y="{y + 14}">{value:.3g} {escape(unit)}</text>')
            y += BAR + GAP
        y += GAP
    return _page(y, rows)


def _page(height: int, rows: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{height}" fill="white"/>', *rows, "</svg>", ""])


def lines(
    title: str, across: str, up: str, series: Sequence[tuple[str, Sequence[tuple[float, float]]]], *, ours: str
) -> str:
    """Lines of (x, y), both axes logarithmic, each with its name behind its end; those whose name begins with `ours` stand out."""
    points = [point for _, line in series for point in line]
    low, high = (10 ** round_(log10(pick(y for _, y in points))) for round_, pick in ((floor, min), (ceil, max)))
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    bottom, top = 460, 50

    def at(x: float, y: float) -> tuple[float, float]:
        over = log10(x / left) / (log10(right / left) or 1)
        return 70 + 500 * over, bottom - (bottom - top) * log10(y / low) / (log10(high / low) or 1)

    rows = [f'<text x="10" y="24" font-size="16" font-weight="bold">{escape(title)}</text>']
    for power in range(round(log10(low)), round(log10(high)) + 1):
        y = at(left, 10**power)[1]
        rows.append(f'<line x1="70" x2="570" y1="{y:.1f}" y2="{y:.1f}" stroke="#e0e0e0"/>')
        rows.append(f'<text x="62" y="{y + 4:.1f}" text-anchor="end">{10**power:g} {escape(up)}</text>')
    rows += [
        f'<text x="{at(x, low)[0]:.1f}" y="{bottom + 18}" text-anchor="middle">{x:,.0f}</text>'
        for x in sorted({x for x, _ in points})
    ]
    rows.append(f'<text x="320" y="{bottom + 36}" text-anchor="middle">{escape(across)}</text>')
    ends: list[float] = []
    for name, line in sorted(series, key=lambda each: at(*each[1][-1])[1]):
        colour = COLOURS["ours" if name.startswith(ours) else "other"]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in line))
        rows.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = at(*line[-1])
        y = max(y, ends[-1] + 15) if ends else y  # so that no name lies on another
        ends.append(y)
        rows.append(
            f'<text x="{max(x, 570) + 8:.1f}" y="{y + 4:.1f}">{escape(name)}, {line[-1][1]:.3g} {escape(up)}</text>'
        )
    return _page(bottom + 50, rows)
