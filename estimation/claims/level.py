"""How large is a rate, in round numbers?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import numpy as np

from ..store.runs import RATES
from .contract import Bools, Claim, ClaimKind, Question, Told

ROUND: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
ABOVE_ONE: Final = (1.0, 2.0, 5.0, 10.0)


class Level(ClaimKind):
    """The least round number that a rate is below, and the greatest that it is above, at every offense.

    Where the draws allow none at the threshold, the widest is told with its probability, and does not hold.
    """

    name: ClassVar[str] = "level"
    order: ClassVar[int] = 10

    def claims(self, told: Told) -> Iterator[Claim]:
        """Two for each offense and step at the answer."""
        for row in told.held(told.rows(*RATES), "offense").to_dict("records"):
            draws = told.drawn(row["quantity_id"])
            if draws is None:
                continue
            ratio = told.may_exceed_one(row["step"])
            ends = np.array(ROUND + ABOVE_ONE if ratio else ROUND)
            unit = f" per {str(row['step']).split('-')[0].replace('_', ' ')}" if ratio else " %"
            name = str(row["quantity_id"])
            below = (draws[:, None] < ends).mean(axis=0)
            above = (draws[:, None] > ends).mean(axis=0)
            under = int(np.argmax(below >= told.threshold)) if below[-1] >= told.threshold else -1
            over = int((above >= told.threshold).sum()) - 1 if above[0] >= told.threshold else 0
            for word, at in (("below", under), ("above", over)):
                number = f"{ends[at]:g}" if ratio else f"{ends[at] * 100:g}"
                said = f"{told.noun(row)} is {word} {number}{unit}"
                query = f"draws in which it is {word} {ends[at]:g}"
                yield told.claim(word, row, told.subject(row), said, query, _beyond(name, word, ends[at]))


def _beyond(quantity_id: str, word: str, end: float) -> Question:
    """Is a rate below, or above, a number?"""

    def asked(told: Told) -> Bools | None:
        draws = told.drawn(quantity_id)
        if draws is None:
            return None
        return draws < end if word == "below" else draws > end

    return asked
