"""Revisions of all releases beside this one's intervals."""

from __future__ import annotations

from pathlib import Path

import pytest

from attrition.estimation.sensitivity.history import history, statistics, vintage
from attrition.estimation.store.runs import Run
from attrition.estimation.store.write import put_json
from attrition.reports.document import Paragraph, Table
from attrition.reports.sections import revisions
from attrition.reports.view import View

from .world import World, write_world


def test_each_rate_stands_beside_the_revisions_of_its_step(tmp_path: Path):
    small = {"offenses": 2, "jurisdictions": 3, "periods": 2, "draws": 20}
    one, two = (Run(write_world(tmp_path, World(seed=seed, **small))) for seed in (1, 2))
    assert revisions.build(View(two)) is None
    found = statistics(history([vintage("2024-06-30", one), vintage("2024-12-31", two)]))
    plain = found.astype(object).where(found.notna(), None).to_dict("records")
    put_json(two.folder / "release.json", {"statistics": plain, "vintages": ["2024-06-30", "2024-12-31"]})
    view = View(Run(two.folder))
    section = revisions.build(view)
    assert section is not None
    words, table = section.blocks
    assert isinstance(words, Paragraph)
    rates = found[(found["basis"] == "superpopulation") & (found["quantity"] != "change")]
    assert (
        f"{rates['numbers'].sum()} rates published more than once in 2 releases since 2024-06-30"
        in words.text
    )
    assert isinstance(table, Table)
    front = view.rates("offense")
    assert list(table.data["quantity_id"]) == list(front["quantity_id"])
    whole = table.data[table.data["step"] == "referral-arrest"].iloc[0]
    mine = found[(found["step"] == "referral-arrest") & (found["quantity"] == "end_to_end")]
    mine = mine[mine["basis"] == "superpopulation"].iloc[0]
    assert whole["mean_absolute"] == pytest.approx(mine["mean_absolute"])
    assert whole["share_outside"] == pytest.approx(mine["share_outside"])
    assert len(table.rows) == len(front)
