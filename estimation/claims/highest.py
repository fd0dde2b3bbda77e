"""Which offense has the highest rate, by as much as matters?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from ..store.runs import RATES
from .contract import Claim, ClaimKind, Told


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
            draws = [told.drawn(row["quantity_id"]) for row in records]
            known = [values for values in draws if values is not None]
            if len(known) < 2 or len(known) < len(draws):
                continue
            rates = np.stack(known, axis=1)
            ordered = np.sort(rates, axis=1)
            apart = ordered[:, -1] >= (1 + told.effect) * ordered[:, -2]
            first = np.bincount(rates.argmax(axis=1)[apart], minlength=len(records)) / len(rates)
            best = int(first.argmax())
            # What is compared, not which is first, says what the claim is about.
            row = records[best] | {"offense": told.answer["offense"]}
            top = told.label("offense", records[best]["offense"])
            what = told.noun(row).removeprefix("the ")
            said = (
                f"of {len(records)} offenses {top} has the highest {what}, by {told.effect * 100:g} % or more"
            )
            query = f"draws in which it is the highest, {1 + told.effect:g} times the next or more"
            ids = [str(other["quantity_id"]) for at, other in enumerate(records) if at != best]
            yield told.claim(self.name, row, told.title(row["step"]), said, query, first[best], ids)
