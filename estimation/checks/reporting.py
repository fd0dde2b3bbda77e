"""How much of the denominator reports at all?"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np
import pandas as pd

from ...data.names import AXES, CHANGE
from ..evidence import ReportingShares
from ..labels import DATA, NOT
from ..reporting import LEAST, LEAST_OF_ONE, reporting_share
from ..rows import Bools, make_rows
from .contract import Check, Result, Seen

_PLACES: Final = "reporting_share_places"


class Reporting(Check):
    """Share of the first stage's count in cells of which some later stage is known: of all, and of each part."""

    name: ClassVar[str] = "reporting_share"
    order: ClassVar[int] = 40
    gate: ClassVar[bool] = False
    verdicts: ClassVar[tuple[str, ...]] = ("reporting_share", _PLACES)

    def run(self, seen: Seen) -> list[Result]:
        """At least 60 %, or no change over all is published; 80 % of a part, or none of it, and no data-driven rate."""
        return [self._whole(seen), _places(seen)]

    def _whole(self, seen: Seen) -> Result:
        share = reporting_share(seen.blueprint)
        axes, rows = seen.blueprint.panel.axes, seen.estimates
        if len(axes.period) < 2:
            words = f"Cells with some later count hold {share:.0%} of the first stage; there is no change to publish."
            return Result(self.name, "informational", share, LEAST, words)
        whole = [
            name for name, at in axes.jurisdiction.positions.items() if len(at) == len(axes.jurisdiction)
        ]
        national = rows[(rows["quantity"] == "change") & rows["jurisdiction"].isin(whole)]
        told = int((national["label"] != NOT).sum())
        words = f"In the last two periods cells with some later count hold at least {share:.0%} of the first stage"
        if share >= LEAST:
            words += "."
        else:
            words += f", less than the {LEAST:.0%} that a change over all jurisdictions asks for: "
            words += (
                f"{told:,} of {len(national):,} such changes are published all the same."
                if told
                else f"none of the {len(national):,} such changes is published."
            )
        good = share >= LEAST or not told
        return Result(self.name, "passed" if good else "failed", share, LEAST, words)


def _places(seen: Seen) -> Result:
    """Of every row of a part of all jurisdictions the share of its own cells."""
    rows, table = make_rows(seen.blueprint.panel, seen.blueprint.layout), seen.estimates
    rows = rows.take(~rows.whole[:, AXES.index("jurisdiction")])
    if not len(rows):
        words = "There is one jurisdiction, or none apart from all of them."
        return Result(_PLACES, "informational", None, LEAST_OF_ONE, words)
    share = ReportingShares(seen.blueprint).of(rows)
    less = {tuple(map(str, name)) for name in rows.names[share < LEAST_OF_ONE]}
    changes, rates = table["quantity"] == "change", table["quantity"].isin(["rate", "end_to_end"])
    hit = _among(table, less)
    told = hit & changes & (table["label"] != NOT)
    called = hit & rates & (table["label"] == DATA)
    places = rows.names[:, 1][share < LEAST_OF_ONE]
    words = (
        f"Of {len(less):,} of {len(rows):,} rows of a part of all jurisdictions cells with some later count hold less "
        f"than {LEAST_OF_ONE:.0%} of the first stage ({len(set(places)):,} jurisdictions or regions): "
    )
    if told.any() or called.any():
        words += (
            f"{int(told.sum()):,} of their changes are published and {int(called.sum()):,} of their rates called "
            "data-driven all the same."
        )
    else:
        words += "none of their changes is published, and none of their rates called data-driven."
    good = not (told.any() or called.any())
    touched = {
        (o, j) for o, j in table.loc[told | called, ["offense", "jurisdiction"]].itertuples(index=False)
    }
    affects = tuple({"offense": o, "jurisdiction": j} for o, j in sorted(touched))
    return Result(_PLACES, "passed" if good else "failed", float(share.min()), LEAST_OF_ONE, words, affects)


def _among(table: pd.DataFrame, names: set[tuple[str, ...]]) -> Bools:
    """Rows of a table that speak of one of the cells named; a change is of the later period and of the earlier one."""
    if not names:
        return np.zeros(len(table), dtype=bool)
    columns = (table[axis].to_numpy(dtype=object) for axis in AXES)
    return np.array(
        [any((o, j, one) in names for one in t.split(CHANGE)) for o, j, t in zip(*columns, strict=True)],
        dtype=bool,
    )
