"""Months of somebody's table that are added up to quarters: what of them makes no quarter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .periods import Periods

type Cell = tuple[str, ...]
SHOWN = 6


def parts_of_quarters(periods: Periods, texts: Sequence[str], cells: Sequence[Cell]) -> list[str]:
    """Sentences that name every quarter of which some cells lack a month.

    Parameters
    ----------
    periods : Periods
    texts : sequence of str
        Period of each row.
    cells : sequence of tuple of str
        What else each row speaks of.
    """
    given = _given(periods, texts, cells)
    lacking: dict[tuple[str, Cell], list[Cell]] = {}
    everywhere = {label: [cell for other, cell in given if other == label] for label, _ in given}
    for (label, cell), months in given.items():
        if len(set(months)) < 3:
            lacking.setdefault((label, tuple(sorted(set(months)))), []).append(cell)
    said = []
    for (label, there), short in sorted(lacking.items()):
        whole = len(short) == len(everywhere[label])
        whom = "everywhere" if whole else "of " + _named(short)
        said.append(f"{label} is left out {whom}: of its months the table has only {', '.join(there)}")
    return said


def sums_not_known(
    periods: Periods, texts: Sequence[str], cells: Sequence[Cell], stage: str, counts: Sequence[str]
) -> list[str]:
    """A sentence that names the quarters of a stage with three months of which some, not all, are empty."""
    given = _given(periods, texts, cells)
    filled = [text if count.strip() else "" for text, count in zip(texts, counts, strict=True)]
    counted = _given(periods, filled, cells)
    short = [key for key in counted if len(counted[key]) < len(given[key]) and len(set(given[key])) == 3]
    if not short:
        return []
    named = _named((label, *cell) for label, cell in sorted(short))
    return [f"{stage} is not known, since some of the months are empty, in {named}"]


def months_twice(periods: Periods, texts: Sequence[str], cells: Sequence[Cell]) -> list[str]:
    """A sentence where one cell has several rows of one month, which are no parts of a quarter."""
    given = _given(periods, texts, cells)
    twice = [(label, cell) for (label, cell), months in given.items() if len(set(months)) < len(months)]
    if not twice:
        return []
    named = _named((label, *cell) for label, cell in sorted(twice))
    return [
        f"a month has several rows that are not the same, which are not added up and which validate refuses: {named}"
    ]


def _given(
    periods: Periods, texts: Sequence[str], cells: Sequence[Cell]
) -> dict[tuple[str, Cell], list[str]]:
    """The months that each quarter of each cell has."""
    found: dict[tuple[str, Cell], list[str]] = {}
    for text, cell in zip(texts, cells, strict=True):
        if text in periods.months:
            found.setdefault((periods.labels[text], cell), []).append(periods.months[text])
    return found


def _named(cells: Iterable[Cell]) -> str:
    names = [" / ".join(part for part in cell if part) for cell in cells]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
