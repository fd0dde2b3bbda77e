"""What commands say of revised numbers and claims: words, and the same as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..data.names import REVISION_PARTS
from .console import columns
from .findings import number, records
from .verdict import NO_NEWS

if TYPE_CHECKING:
    from ..estimation.sensitivity.claims import ClaimChange
    from ..estimation.sensitivity.compare import Comparison
    from ..estimation.sensitivity.revision import Revision

SHOWN = 25


def revision_value(revision: Revision | None) -> dict[str, Any] | None:
    """The sequence of runs and every row with its parts."""
    return None if revision is None else revision.record() | {"rows": records(revision.table)}


def claims_lines(changes: Sequence[ClaimChange]) -> list[str]:
    """Claims that hold in one run alone, or say something else."""
    said = [f"  {one.sentence()}" for one in changes[:SHOWN]]
    more = [f"  and {len(changes) - SHOWN} more; --json gives them all"] if len(changes) > SHOWN else []
    return ["", f"Claims: {len(changes)} different." if changes else "Claims: the same.", *said, *more]


def revision_lines(found: Comparison) -> list[str]:
    """Revisions of the front table, with their parts where they are told apart."""
    revision = found.revision
    if revision is None:
        return []
    table = revision.table
    rows = table[table["quantity_id"].isin(found.base.table(by="offense")["quantity_id"])]
    lines = [
        (str(row["step"]), str(row["offense"]), *(_signed(row[name]) for name in ("revision", *REVISION_PARTS)),
         "outside" if row["outside"] is True else "")
        for row in records(rows)
    ]  # fmt: skip
    header = ("step", "offense", "revision", *REVISION_PARTS, "90 % interval before")
    told = int(table["revision"].notna().sum())
    had, outside = int(table["outside"].notna().sum()), int(table["outside"].sum())
    summary = (
        f"Revisions: {told:,} published in both; of the {had:,} that had a 90 % interval before {outside:,} "
        "lie outside it."
    )
    steps = "; then ".join(f"{link.sentence} ({link.run.identity})" for link in revision.links)
    order = f"In this order: {steps}." if steps else NO_NEWS
    why = f"Not split: {revision.unsplit}." if revision.unsplit else order
    return ["", summary, why, columns(lines, header)]


def _signed(value: Any) -> str:
    return "" if value is None else ("+" if value > 0 else "") + number(value)
