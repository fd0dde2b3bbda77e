"""Scenarios are checked against the data before anything is fitted; one is fitted and moves as it must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attrition.data.errors import InputError
from attrition.estimation.binding import bind_plan, run_identity
from attrition.estimation.plan import read_plan
from attrition.estimation.sensitivity.scenario import bind_scenarios
from attrition.estimation.store.runs import Run
from attrition.estimation.verbs import estimate, validate, vary

HALF = """
[[scenario]]
name = "without possession"
reason = "the largest rate of the three"
[scenario.set]
"estimate.draws" = 150
"estimate.tune" = 250
"exclude.+" = [
    {offense = "possession", reason = "to see"},
    {offense = "all", reason = "a total that holds it"},
]
"""


def entry(name: str, settings: str) -> str:
    return f'[[scenario]]\nname = "{name}"\nreason = "r"\nset = {settings}\n'


@pytest.fixture
def planned(small_plan: Path):
    """A plan with scenarios beside the small one: the same name and data, so the same run."""
    made = []

    def write(text: str) -> Path:
        path = small_plan.with_name(f"planned{len(made)}.toml")
        path.write_text(small_plan.read_text() + text)
        made.append(path)
        return path

    yield write
    for path in made:
        path.unlink()


def refused(path: Path, names: list[str] | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        bind_scenarios(read_plan(path), names)
    return [problem.line() for problem in caught.value.problems]


def test_scenarios_are_no_part_of_the_identity(planned, small_run: Run) -> None:
    wide, deep = entry("wide", '{"prior.spread" = 2.0}'), entry("deep", '{"estimate.target_accept" = 0.99}')
    found = bind_scenarios(read_plan(planned(wide + deep)))
    identity, (first, second) = found.identity, found.scenarios
    assert identity == small_run.identity
    assert len({identity, first.identity, second.identity}) == 3
    assert first.plan.prior.spread == 2.0
    assert first.plan.estimate.seed == small_run.manifest["seed"]
    assert first.plan.patches == {"prior.spread": 2.0}
    noted = '[[note]]\ntext = "Too narrow."\nsource = "docs"\ndate = 2026-11-26\n'
    assert bind_scenarios(read_plan(planned(wide + deep + noted))).identity == identity
    again = bind_scenarios(read_plan(planned(deep.replace('"r"', '"s"') + wide)), ["wide"])
    assert (again.identity, [one.identity for one in again.scenarios]) == (identity, [first.identity])


def test_independent_draws_are_as_many_as_a_complete_run_asks_for_from_points_as_the_plan_has_them(
    planned,
) -> None:
    """Where the draws are a chain, a scenario says how many, or weights may do, they are as many as was said."""
    out = '"exclude.+" = [{offense = "possession", reason = "r"}, {offense = "all", reason = "r"}]'
    several = entry("out", f"{{{out}}}") + entry("more", f'{{{out}, "estimate.draws" = 900}}')
    several += entry("finer", f'{{{out}, "estimate.points" = 512}}')
    path = planned(several + entry("wide", '{"prior.spread" = 2.0}'))
    for engine, points, wanted in (
        ("nuts", None, [(1500, None), (900, None), (1500, 512), (1500, None)]),
        ("laplace", None, [(500, 256), (900, 256), (500, 512), (1500, None)]),
        ("laplace", 128, [(500, 128), (900, 128), (500, 512), (1500, 128)]),
    ):
        patches = {"estimate.engine": engine, "estimate.draws": 1500} | (
            {"estimate.points": points} if points else {}
        )
        found = bind_scenarios(read_plan(path, patches))
        settings = [one.plan.estimate for one in found.scenarios]
        assert [(one.draws, one.points) for one in settings] == wanted


@pytest.mark.parametrize("patch", [{"prior.spread": 2.0}, {"effect": [{"kind": "jurisdiction"}]}])
def test_what_is_bound_like_another_plan_is_as_if_bound_by_itself(
    small_plan: Path, patch: dict[str, Any]
) -> None:
    plan, base = read_plan(small_plan, patch), bind_plan(read_plan(small_plan))
    mine, alone = bind_plan(plan, base), bind_plan(plan)
    assert run_identity(mine, plan) == run_identity(alone, plan)
    assert mine.intake.to_dict() == alone.intake.to_dict()
    assert (mine.blueprint.prior, mine.blueprint.effects) == (plan.prior, alone.blueprint.effects)
    # Of other priors alone nothing is analysed again.
    assert (mine.blueprint.batches is base.blueprint.batches) == ("effect" not in patch)


def test_a_note_reaches_the_run_that_is_stored(
    planned, small_run: Run, small_plan: Path, monkeypatch
) -> None:
    monkeypatch.setattr("attrition.estimation.verbs.fit_shown", None)
    noted = planned('[[note]]\ntext = "Too narrow."\nsource = "docs"\ndate = 2026-11-26\n')
    run = estimate(noted, progress=False)
    assert run.folder == small_run.folder
    assert run.notes == [{"text": "Too narrow.", "source": "docs", "date": "2026-11-26"}]
    assert estimate(small_plan, progress=False).notes == []


def test_every_fault_of_every_scenario_at_once(planned) -> None:
    text = (
        entry("typo", '{"prior.sprad" = 2.0, "answr.period" = "2021"}')
        + entry("bad", '{"prior.spread" = -1.0}')
        + entry("twice", '{"prior.spread" = 2.0}')
        + entry("twice", '{"prior.spread" = 1.5}')
        + entry("nothing", '{"prior.spread" = 1.0}')
        + entry("idle", '{"exclude.+" = {source_id = "nobody", reason = "r"}}')
        + entry("lost", '{"effect.tim.over" = "iid"}')
        + entry("default", '{"effect.+" = {kind = "time"}}')
        + entry("renamed", '{name = "other"}')
        + entry("unread", '{"input.0.file" = "absent.csv"}')
        + entry("emptied", '{"exclude.+" = {stage = ["investigation", "arrest"], reason = "r"}}')
    )
    said = refused(planned(text))
    assert all(line.startswith("scenario '") for line in said)
    by = {name: [line for line in said if line.startswith(f"scenario '{name}'")] for name in (
        "typo", "bad", "twice", "nothing", "idle", "lost", "default", "renamed", "unread", "emptied")}  # fmt: skip
    assert sum(map(len, by.values())) == len(said)
    assert {len(lines) for name, lines in by.items() if name != "typo"} == {1}
    assert sorted(("'spread'" in line, "'answer'" in line) for line in by["typo"]) == [
        (False, True),
        (True, False),
    ]
    assert "-1" in by["bad"][0]
    assert "2 scenarios have this name" in by["twice"][0]
    assert "changes nothing" in by["nothing"][0]
    assert "matches no number" in by["idle"][0]
    assert "set effect.tim.over: the plan writes no [[effect]]" in by["lost"][0]
    assert "set effect.+: the plan writes no [[effect]]" in by["default"][0]
    assert "may not change this" in by["renamed"][0]
    assert "absent.csv" in by["unread"][0]
    assert "no statement carries information" in by["emptied"][0]


def test_validate_names_them_too(planned) -> None:
    found = validate(planned(entry("bad", '{"prior.spread" = -1.0}')))
    assert [problem.where.split(",")[0] for problem in found.problems] == ["scenario 'bad'"]
    assert validate(planned(entry("wide", '{"prior.spread" = 2.0}'))).problems == []


def test_names_that_are_not_there(planned, small_plan: Path) -> None:
    (line,) = refused(planned(entry("wide", '{"prior.spread" = 2.0}')), ["wild"])
    assert "did you mean 'wide'" in line
    (line,) = refused(small_plan)
    assert "no [[scenario]]" in line


def test_nothing_is_fitted_when_one_is_at_fault(planned, tmp_path: Path) -> None:
    text = entry("wide", '{"prior.spread" = 2.0}') + entry("bad", '{"prior.spread" = -1.0}')
    with pytest.raises(InputError, match="scenario 'bad'"):
        vary(planned(text), runs=tmp_path / "runs", progress=False)
    assert not (tmp_path / "runs").exists()


@pytest.fixture(scope="module")
def without_possession(small_plan: Path, small_run: Run):
    """The small plan and one scenario, fitted; the run of the plan itself is the shared one."""
    path = small_plan.with_name("varied.toml")
    path.write_text(small_plan.read_text() + HALF)
    yield vary(path, progress=False), path
    path.unlink()
    for name in ("scenarios.json", "sensitivity.parquet", "sensitivity.csv"):
        (small_run.folder / name).unlink()


def test_a_scenario_is_a_run_of_its_own(without_possession, small_run: Run) -> None:
    found, _ = without_possession
    (one,) = found.varied
    assert found.base.identity == small_run.identity
    assert one.run.folder.parent == small_run.folder.parent
    assert one.run.scenario == "without possession"
    assert [each["identity"] for each in found.base.scenarios] == [one.run.identity]
    assert not (one.run.folder / "scenarios.json").exists()


def test_leaving_out_the_largest_rate_lowers_the_whole(without_possession) -> None:
    front = without_possession[0].front().set_index(["step", "offense"])
    step = front.loc["referral-investigation"]
    # From a third each of .3, .15 and .08 to a half each of the last two.
    assert step.loc["all", "base"] == pytest.approx(0.53 / 3, abs=0.03)
    assert step.loc["all", "value"] == pytest.approx(0.115, abs=0.03)
    logit = np.log(0.115 / 0.885) - np.log(0.1767 / 0.8233)
    assert step.loc["all", "shift"] * step.loc["all", "base_sd"] == pytest.approx(logit, abs=0.2)
    assert step.loc["possession", ["value", "shift"]].isna().all()
    assert abs(step.loc["enticement", "shift"]) < 3


def test_a_second_sweep_fits_nothing(without_possession, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    found, path = without_possession

    def never(*_arguments: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr("attrition.estimation.verbs.fit_shown", never)
    again = vary(path)
    assert [one.run.folder for one in again.varied] == [one.run.folder for one in found.varied]
    assert "Scenario 1 of 1, without possession: stored" in capsys.readouterr().err
