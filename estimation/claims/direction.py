"""Did a rate rise or fall by as much as matters, or did it not?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pandas as pd

from ...data.names import CHANGE
from .contract import Claim, ClaimKind, Told


class Direction(ClaimKind):
    """Of rose, fell and stayed the most probable, for the last two periods at every offense and jurisdiction.

    A rate rose where the later is at least 1 + effect times the earlier, fell where the reverse is so, and stayed
    where neither is. The two rates are drawn jointly.
    """

    name: ClassVar[str] = "direction"
    order: ClassVar[int] = 20

    def claims(self, told: Told) -> Iterator[Claim]:
        """One for each change that is published at the answer."""
        rows = told.rows("change")
        near = pd.concat([told.held(rows, by, "period") for by in ("offense", "jurisdiction")])
        for row in near.drop_duplicates("quantity_id").to_dict("records"):
            before, after = str(row["period"]).split(CHANGE)
            if told.pair(row, after) is None:
                continue
            rose, fell, stayed = told.larger(row, after)
            much, factor = f"{told.effect * 100:g} % or more", f"{1 + told.effect:g}"
            asked, said, query = told.likeliest(
                (
                    (rose, f"rose by {much}", f"the later rate is {factor} times the earlier or more"),
                    (fell, f"fell by {much}", f"the earlier rate is {factor} times the later or more"),
                    (stayed, f"did not change by {much}", f"neither rate is {factor} times the other"),
                )
            )
            subject, said = f"{told.subject(row)}, {before} to {after}", f"{told.noun(row)} {said}"
            yield told.claim(self.name, row, subject, said, f"draws in which {query}", asked)
