"""Each source left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ...binding import Bound
from ...plan import Plan
from ...sections import ScenarioSpec
from ..family import Family


class Sources(Family):
    """One scenario a source that a used statement names."""

    name: ClassVar[str] = "sources"
    order: ClassVar[int] = 30

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return "Each source left out in turn."

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """In the order in which they were read; none where there is only one."""
        used = bound.blueprint.statement_kinds
        sources = dict.fromkeys(s.source_id for s in bound.panel.statements if s.id in used and s.source_id)
        for source in sources if len(sources) > 1 else ():
            reason = f"what the answer owes to {source}"
            yield ScenarioSpec(
                name=f"without source {source}",
                reason=reason,
                set={"exclude.+": {"source_id": source, "reason": reason}},
            )
