"""Ways of being partly observed, each as a set of reports that excludes all but one another.

A case has a few cells with known referrals and a list of reports: facts about the later stages. Every report
stands in a jurisdiction of its own with the same referrals and rates, so that one panel holds all cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..panels import Fact

OFFENSES = {"ab": "all", "a": "ab", "b": "ab", "c": "all"}
LEAVES = ("a", "b", "c")
Report = tuple[Fact, ...]  # facts whose node names an offense alone


@dataclass(frozen=True)
class Case:
    """``n``: referrals of the offenses. ``whole``: the reports exhaust what can be seen."""

    name: str
    n: tuple[int, ...]
    reports: tuple[Report, ...]
    whole: bool = True


def _chains(n: int) -> Iterator[tuple[int, int]]:
    return ((y, z) for y in range(n + 1) for z in range(y + 1))


def _one(*facts: Fact) -> Report:
    return facts


BOUNDS: dict[str, tuple[Fact, ...]] = {
    "at least, at most": (("at_least", 4), ("range", 2, 3), ("at_most", 1)),
    "suppressed": (("exact", 0), ("suppressed", 1, 4), ("exact", 5), ("exact", 6)),
    "rounded": (("rounded", 0), ("rounded", 5)),
    "rounded in its own way": (("rounded", 1, 0, 2), ("rounded", 4, 3, 6)),
    "approx": (("approx", 1), ("approx", 3), ("approx", 5), ("exact", 6)),
}
BANDS = ((0, 0), (1, 3), (4, 6))

CASES = (
    Case(
        "exact",
        (3,),
        tuple(_one(("investigation", "a", "exact", y), ("arrest", "a", "exact", z)) for y, z in _chains(3)),
    ),
    Case("skipped", (5,), tuple(_one(("arrest", "a", "exact", z)) for z in range(6))),
    Case("total", (3, 2, 4), tuple(_one(("investigation", "all", "exact", t)) for t in range(10))),
    Case(
        "totals at two stages",
        (3, 2, 2),
        tuple(
            _one(("investigation", "all", "exact", y), ("arrest", "all", "exact", z)) for y, z in _chains(7)
        ),
    ),
    Case(
        "total less a known cell",
        (2, 3, 2),
        tuple(
            _one(("investigation", "b", "exact", y), ("investigation", "all", "exact", y + t))
            for y in range(4)
            for t in range(5)
        ),
    ),
    Case("skipped total", (3, 2, 3), tuple(_one(("arrest", "all", "exact", t)) for t in range(9))),
    Case(
        "total, arrests cell by cell",
        (2, 2),
        tuple(
            _one(
                ("investigation", "all", "exact", t),
                ("arrest", "a", "exact", za),
                ("arrest", "b", "exact", zb),
            )
            for t in range(5)
            for za in range(3)
            for zb in range(3)
            if za + zb <= t
        ),
    ),
    Case(
        "total, arrests of one cell",
        (3, 2),
        tuple(
            _one(("investigation", "all", "exact", t), ("arrest", "a", "exact", z))
            for t in range(6)
            for z in range(4)
            if z <= t
        ),
    ),
    *(
        Case(name, (6,), tuple(_one(("investigation", "a", *bound)) for bound in bounds))
        for name, bounds in BOUNDS.items()
    ),
    *(
        Case(f"{name}, of a sum", (3, 3), tuple(_one(("investigation", "all", *bound)) for bound in bounds))
        for name, bounds in BOUNDS.items()
    ),
    Case("range, skipped", (6,), tuple(_one(("arrest", "a", "range", *band)) for band in BANDS)),
    Case(
        "range of a total, skipped", (2, 4), tuple(_one(("arrest", "all", "range", *band)) for band in BANDS)
    ),
    Case(
        "range before a known stage",
        (6,),
        tuple(
            _one(("investigation", "a", "range", *band), ("arrest", "a", "exact", z))
            for band in BANDS
            for z in range(band[1] + 1)
        ),
    ),
    Case(
        "ranges of totals at two stages",
        (3, 3),
        tuple(
            _one(("investigation", "all", "range", *first), ("arrest", "all", "range", *then))
            for first in BANDS
            for then in BANDS
            if then[0] <= first[1]
        ),
    ),
    Case(
        "total and range of totals",
        (2, 3),
        tuple(
            _one(("investigation", "all", "exact", t), ("arrest", "all", "range", *band))
            for t in range(6)
            for band in ((0, 0), (1, 2), (3, 5))
            if band[0] <= t
        ),
    ),
)


def facts_of(case: Case, report: Report, place: str) -> list[Fact]:
    """The facts of one jurisdiction."""
    first: list[Fact] = [
        ("referral", f"{o}/{place}", "exact", n) for o, n in zip(LEAVES, case.n, strict=False)
    ]
    whole = "ab" if len(case.n) == 2 else "all"
    return first + [
        (stage, f"{whole if node == 'all' else node}/{place}", *rest) for stage, node, *rest in report
    ]
