"""How contradictions between sources were settled: the statements that gave way, and to which."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from .view import View

SETTLED: Final = ("preferred", "both count as", "contradicts", "gives way to")
REPEATS: Final = "repeats "


def beaten(view: View) -> pd.DataFrame:
    """Statements that gave way to another of the same fact or period.

    Returns
    -------
    DataFrame
        stage, offense, jurisdiction, period, count, source_id, kept_count, kept_source, difference (of the two
        over the kept one), reason, id, kept_id; values are null where the other is a set or gives a range.
    """
    rows = view.statements
    out: list[dict[str, Any]] = []
    lost = rows[rows["status"].isin(["dropped", "unused"])]
    lost = lost[lost["reason"].astype(str).str.contains("|".join(SETTLED))]
    named = {name for others in lost["others"] for name in others or []}
    known = {row["id"]: row for row in rows[rows["id"].isin(named)].to_dict("records")}
    for row in lost.to_dict("records"):
        kept: dict[str, Any] = next((known[i] for i in row["others"] or [] if i in known), {})
        mine, other = _value(row), _value(kept)
        names = ("stage", "offense", "jurisdiction", "period", "source_id", "reason", "id")
        out.append(
            {name: row[name] for name in names}
            | {
                "count": mine,
                "kept_count": other,
                "kept_source": kept.get("source_id"),
                "kept_id": kept.get("id"),
                "difference": mine / other - 1 if mine is not None and other else None,
            }
        )
    columns = [
        "stage", "offense", "jurisdiction", "period", "count", "source_id", "kept_count", "kept_source",
        "difference", "reason", "id", "kept_id",
    ]  # fmt: skip
    frame = pd.DataFrame(out, columns=columns)
    for name in ("count", "kept_count", "difference"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    return frame


def _value(row: dict[str, Any]) -> float | None:
    value = row.get("count")
    return float(value) if value is not None and value == value else None


def repeats(view: View) -> int:
    """How many statements repeat what another source says, to the unit."""
    rows = view.statements
    return int(((rows["status"] == "dropped") & rows["reason"].astype(str).str.contains(REPEATS)).sum())


def left_out(view: View, status: str) -> pd.DataFrame:
    """Statements of a status by reason, most first: reason, numbers, sources, places.

    Reasons that name single rows are put together up to their first number.
    """
    rows = view.statements
    rows = rows[rows["status"] == status]
    rows = rows[~rows["id"].isin(beaten(view)["id"])]
    reason = rows["reason"].astype(str).str.replace(r"\S*\.csv.*$|\S*\.xlsx.*$|\(.*$", "…", regex=True)
    reason = reason.str.replace(r"\d[\d,. ]*", "# ", regex=True).str.strip()
    many = reason.value_counts()
    first = rows["reason"].astype(str)
    # A reason that stands alone is told as it is.
    told = reason.where(reason.map(many) > 1, first)
    told = told.where(reason.map(first.groupby(reason).nunique()) > 1, first)
    grouped = rows.assign(told=told).groupby("told", sort=False)
    out = grouped.agg(
        numbers=("id", "size"), sources=("source_id", "nunique"), places=("jurisdiction", "nunique")
    )
    out = out.reset_index().rename(columns={"told": "reason"})
    return out.sort_values(["numbers", "reason"], ascending=[False, True], kind="stable").reset_index(
        drop=True
    )
