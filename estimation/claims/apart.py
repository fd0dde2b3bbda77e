"""Does an offense or a place differ from its siblings by as much as matters?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pandas as pd

from ...data.names import ROOT
from .contract import Claim, ClaimKind, Told


class Apart(ClaimKind):
    """Of higher, lower and alike the most probable, for each node against its siblings together.

    Higher where its rate is at least 1 + effect times that of its siblings, lower where the reverse is so.
    """

    name: ClassVar[str] = "apart"
    order: ClassVar[int] = 40

    def claims(self, told: Told) -> Iterator[Claim]:
        """One for each contrast that is published: offenses at the answer, jurisdictions over all offenses."""
        rows = told.rows("contrast")
        places = rows[(rows["offense"] == ROOT) & (rows["period"] == told.answer["period"])]
        near = pd.concat([told.held(rows, "offense"), places]).drop_duplicates("quantity_id")
        for row in near.to_dict("records"):
            if told.pair(row) is None:
                continue
            higher, lower, alike = told.larger(row)
            theirs = "that of its siblings together"
            much, factor = f"{told.effect * 100:g} % or more", f"{1 + told.effect:g}"
            asked, said, query = told.likeliest(
                (
                    (higher, f"higher than {theirs}, by {much}", f"it is {factor} times theirs or more"),
                    (lower, f"lower than {theirs}, by {much}", f"theirs is {factor} times it or more"),
                    (alike, f"not {much} from {theirs}", f"neither is {factor} times the other"),
                )
            )
            said = f"{told.noun(row)} is {said}"
            yield told.claim(self.name, row, told.subject(row), said, f"draws in which {query}", asked)
