"""What a plan says, for tests of the plans that ``init table`` writes."""

from __future__ import annotations

from attrition.data.intake import read_panel
from attrition.estimation.plan import read_plan


def facts(folder) -> dict[tuple[str, str, str, str], tuple]:
    """What a plan's panel says, by stage, offense, jurisdiction and period."""
    plan = read_plan(folder / "plan.toml")
    panel, _ = read_panel(plan.panel_spec(), plan.folder)
    return {
        (one.stage, one.offense, one.jurisdiction, one.period): (one.relation, one.count, one.low, one.high)
        for one in panel.statements
    }
