"""``[[exclude]]`` and ``[[prefer]]``: which statements a plan's column filters speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields as dataclass_fields

from .draft import Draft
from .errors import Problem, did_you_mean
from .faults import Faults
from .filterspec import ExcludeSpec, PreferSpec
from .statement import Statement

_LATER = ("preferred", "shifted")  # known only after filters have spoken
_OWN = tuple(f.name for f in dataclass_fields(Statement) if f.name not in (*_LATER, "count", "low", "high"))
OF_SOURCES = ("confidence",)  # columns of the sources file that filters may use


def matches(
    draft: Draft, where: Mapping[str, Sequence[str]], sources: Mapping[str, Mapping[str, str]]
) -> bool:
    """Does every filter name the value this statement has in that column?

    The row's own field, the statement's (``stage`` of a wide table, ``file``, ``role``) or its source's
    (``confidence``) may match, so that ``period = "2024"`` finds a row dated from January to December.
    """
    for column, wanted in where.items():
        seen = {draft.fields.get(column, "").strip()} if column in draft.fields else set()
        if column in _OWN:
            seen.add(str(getattr(draft.statement, column)))
        if column in OF_SOURCES:
            seen.add(sources.get(draft.statement.source_id, {}).get(column, ""))
        if seen.isdisjoint(wanted):
            return False
    return True


def first_match(
    draft: Draft,
    filters: Sequence[ExcludeSpec | PreferSpec],
    sources: Mapping[str, Mapping[str, str]],
) -> int | None:
    """Position of the first filter that names a statement."""
    if not filters:
        return None
    return next((i for i, each in enumerate(filters) if matches(draft, each.where, sources)), None)


def check_columns(
    section: str, filters: Sequence[ExcludeSpec | PreferSpec], known: Iterable[str], faults: Faults
) -> None:
    """Report filters by columns that no input has."""
    names = {*known, *_OWN}
    for number, each in enumerate(filters, start=1):
        for column in each.where:
            if column not in names:
                faults.add(
                    Problem(
                        "filter by an unknown column",
                        f"plan, [[{section}]] number {number}",
                        repr(column),
                        do=did_you_mean(column, names),
                    )
                )


def idle(section: str, filters: Sequence[ExcludeSpec | PreferSpec], hits: Iterable[int | None]) -> list[str]:
    """A warning for each filter that named nothing."""
    used = set(hits)
    return [
        f"[[{section}]] number {i + 1} ({each.reason}) matches no number"
        for i, each in enumerate(filters)
        if i not in used
    ]
