"""Which offense has the highest rate, by as much as matters?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..store.runs import RATES
from .contract import Claim, ClaimKind, Question, Told

Ints = NDArray[np.int64]


class Highest(ClaimKind):
    """The offense most often the highest in joint draws, 1 + effect times the next or more.

    Among the offenses without others below them whose rates are decided; rates that prior or nothing decides are not
    compared.
    """

    name: ClassVar[str] = "highest"
    order: ClassVar[int] = 30

    def claims(self, told: Told) -> Iterator[Claim]:
        """One for each step with two such offenses or more."""
        rows = told.held(told.rows(*RATES), "offense")
        rows = rows[rows["offense"].isin(told.leaves("offense"))]
        for _, block in rows.groupby("step", sort=False):
            records = block.to_dict("records")
            names = [str(row["quantity_id"]) for row in records]
            first = _first(told, names)
            if len(names) < 2 or first is None:
                continue
            best = int(np.bincount(first[first >= 0], minlength=len(names)).argmax())
            # What is compared, not which is first, says what the claim is about.
            row = records[best] | {"offense": told.answer["offense"]}
            top = told.label("offense", records[best]["offense"])
            what = told.noun(row).removeprefix("the ")
            said = (
                f"of {len(records)} offenses {top} has the highest {what}, by {told.effect * 100:g} % or more"
            )
            query = f"draws in which it is the highest, {1 + told.effect:g} times the next or more"
            ids = [name for at, name in enumerate(names) if at != best]
            yield told.claim(self.name, row, told.title(row["step"]), said, query, _is(names, best), ids)


def _first(told: Told, names: Sequence[str]) -> Ints | None:
    """Which of some rates is the highest by as much as matters, by draw, (R,); -1 for none of them."""
    known = [values for values in map(told.drawn, names) if values is not None]
    if len(known) < len(names):
        return None
    rates = np.stack(known, axis=1)
    ordered = np.sort(rates, axis=1)
    apart = ordered[:, -1] >= (1 + told.effect) * ordered[:, -2] if len(names) > 1 else True
    return np.where(apart, rates.argmax(axis=1), -1)


def _is(names: Sequence[str], best: int) -> Question:
    """Is it this one?"""
    return lambda told: None if (first := _first(told, names)) is None else first == best
