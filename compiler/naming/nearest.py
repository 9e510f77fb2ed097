"""The nearest names to a misspelt one, among few or hundreds of thousands."""

from collections.abc import Iterable

SHORTLIST = 400
COUNT = 3
CUTOFF = 0.6


def nearest(name: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Up to three candidates that look like `name`, best first. A cheap count of shared letter triples makes the shortlist."""
    from difflib import SequenceMatcher  # few have misspelt anything

    wanted = name.casefold()
    triples = {wanted[i : i + 3] for i in range(max(1, len(wanted) - 2))}
    scored = []
    for candidate in candidates:
        if abs(len(candidate) - len(name)) <= max(4, len(name) // 2):
            folded = candidate.casefold()
            scored.append((-sum(triple in folded for triple in triples), abs(len(candidate) - len(name)), candidate))
    shortlist = [candidate for _, _, candidate in sorted(scored)[:SHORTLIST]]
    ratios = sorted(
        (-SequenceMatcher(None, wanted, candidate.casefold()).ratio(), candidate) for candidate in shortlist
    )
    return tuple(candidate for ratio, candidate in ratios[:COUNT] if -ratio >= CUTOFF)
