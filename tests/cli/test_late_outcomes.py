"""The worked example of the guide on late outcomes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from attrition.data.errors import InputError
from attrition.estimation.binding import bind_plan
from attrition.estimation.plan import read_plan

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    text = (DOCS / "guide" / "late-outcomes.md").read_text(encoding="utf-8")
    # The first of its blocks is a whole plan, the others are parts of one.
    written = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0]
    shutil.copy(DOCS / "examples" / "late.csv", tmp_path)
    (tmp_path / "late.toml").write_text(written, encoding="utf-8")
    return tmp_path / "late.toml"


def test_it_binds(plan):
    bound = bind_plan(read_plan(plan))
    groups = [group for group in bound.blueprint.analysis.groups if group.lags is not None]
    young = [group for group in groups if group.start[0] < group.stages[0]]
    assert bound.intake.counts["unused"] == 0
    # Cohorts of 2024 in two places and two offenses; those of its first half at both dates.
    assert len(young) == 16
    assert sorted(len(group.stages) for group in young) == [1] * 8 + [2] * 8
    told = {kind["kind"]: kind for kind in bound.description["kinds"]}
    assert told["immature"]["settings"]["horizon"] == 4


def test_the_dates_are_part_of_its_identity(plan):
    before = bind_plan(read_plan(plan)).panel.digest()
    table = plan.parent / "late.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("2024-06-30", "2024-07-15"), encoding="utf-8")
    assert bind_plan(read_plan(plan)).panel.digest() != before


def test_without_the_kind_its_rows_disagree(plan):
    with pytest.raises(InputError) as caught:
        bind_plan(read_plan(plan, {"kind.immature.horizon": 0}))
    assert all("disagree" in problem.what for problem in caught.value.problems)


@pytest.mark.parametrize(("day", "quarter"), [("2024-12-31", "2024Q4"), ("2024-06-30", "2024Q2")])
def test_the_latest_quarter_is_that_of_the_day(plan, day, quarter):
    bound = bind_plan(read_plan(plan, {"intake.as_of": day}))
    assert bound.answer == ("all", quarter)
    assert bound.description["answer"]["period"] == quarter
