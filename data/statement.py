"""A statement: one recorded fact about a sum of cells of one stage. The only carrier of data."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from .names import CLOSED, SHARE_OF, Clock, Origin, Relation, Role


@dataclass(frozen=True, slots=True)
class Statement:
    """One recorded fact.

    Parameters
    ----------
    id : str
        Unique within a panel, e.g. ``"data.csv:12:arrest"`` (file, row, stage).
    stage : str
        The stage counted; for a share, the numerator; for ``closed``, the stage not reached.
    offense, jurisdiction, period : str
        Nodes of the three axes; the statement speaks of the sum over the leaves below them.
    relation : str
        exact, approx, at_least, at_most, range, suppressed, rounded, closed or ``share_of_<stage>``.
    count, low, high : float or None
        exact, approx, rounded, at_least and at_most use ``count``; range and suppressed ``low``..``high``,
        inclusive; closed either; a share a value in [0, 1] in ``count`` or in ``low``..``high``.
    unit : str
        As the source names what it counts; may be empty.
    origin : {"referred_only", "all_sources", "unknown"}
        Does the count hold only cases that began as referrals?
    clock : {"cohort", "period", "unknown"}
        Outcomes of these referrals, or outcomes dated in the period.
    as_of : str
        ISO date at which the fact was known.
    source_id : str
    role : {"use", "context", "doubtful"}
        Only ``use`` is fitted.
    file, row : str, int
        Where it stands; the header is row 1.
    preferred : str
        The reason of the ``[[prefer]]`` entry that names it; empty for none.
    note : str
    unit_class : str
        What kind of unit ``unit`` names, by the table of units; empty where there is none.
    shifted : bool
        Its twelve months are not those of the year it is placed in.
    """

    id: str
    stage: str
    offense: str
    jurisdiction: str
    period: str
    relation: Relation
    count: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    origin: Origin = "referred_only"
    clock: Clock = "cohort"
    as_of: str = ""
    source_id: str = ""
    role: Role = "use"
    file: str = ""
    row: int = 0
    preferred: str = ""
    note: str = ""
    unit_class: str = ""
    shifted: bool = False

    @property
    def share_of(self) -> str | None:
        """The denominator's stage when the statement is a share."""
        return self.relation[len(SHARE_OF) :] if self.relation.startswith(SHARE_OF) else None

    @property
    def closed(self) -> bool:
        """Does it count units that were closed without reaching the stage, and not those that reached it?"""
        return self.relation == CLOSED

    @property
    def where(self) -> str:
        """File and row, for messages."""
        return f"{self.file}, row {self.row}" if self.file else self.id

    def sentence(self) -> str:
        """The fact in words."""
        value = {
            "exact": f"{self.count:,.0f}" if self.count is not None else "?",
            "approx": f"about {self.count:,.0f}" if self.count is not None else "?",
            "rounded": f"{self.count:,.0f}, rounded" if self.count is not None else "?",
            "at_least": f"at least {self.count:,.0f}" if self.count is not None else "?",
            "at_most": f"at most {self.count:,.0f}" if self.count is not None else "?",
        }.get(
            self.relation,
            f"{_plain(self.low)} to {_plain(self.high)}" if self.count is None else _plain(self.count),
        )
        what = f"closed without {self.stage}" if self.closed else self.stage
        return f"{what} {value} ({self.offense}, {self.jurisdiction}, {self.period})"

    def record(self) -> dict[str, Any]:
        """Plain values, for digests: the fact without where and when it was read.

        ``as_of`` may have been filled in from the day of reading, so it is not part of the fact.
        """
        return {name: getattr(self, name) for name in _FACT}

    def values(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {name: getattr(self, name) for name in _NAMES}


# Not by vars: it gives every statement a dictionary that stays.
_NAMES = tuple(f.name for f in fields(Statement))
_FACT = tuple(name for name in _NAMES if name not in ("id", "as_of", "file", "row", "note"))


def _plain(value: float | None) -> str:
    """A count written out, or a share as it is."""
    return "?" if value is None else f"{value:,.0f}" if value == int(value) else f"{value}"
