"""Bars as an SVG picture."""

from collections.abc import Sequence
from html import escape

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
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, f'<rect width="{WIDTH}" height="{y}" fill="white"/>', *rows, "</svg>", ""])
