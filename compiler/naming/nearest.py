"""The nearest names to a misspelt one, among few or hundreds of thousands."""

from collections.abc import Iterable

COUNT = 3
CUTOFF = 0.6
"""How alike names are at least: the share of both names' letters that they have in common in the same order."""


def nearest(name: str, candidates: Iterable[str], count: int = COUNT) -> tuple[str, ...]:
    """Up to so many candidates that look like `name`, best first; of equal ones the first by the alphabet."""
    from rapidfuzz import process  # few have misspelt anything
    from rapidfuzz.distance import Indel

    found = process.extract(
        name,
        sorted(set(candidates)),
        scorer=Indel.normalized_similarity,
        processor=str.casefold,
        limit=count,
        score_cutoff=CUTOFF,
    )
    return tuple(candidate for candidate, _, _ in found)
