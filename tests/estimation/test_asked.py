"""Which scenarios are meant: grids opened, families built in, names that are wrong; nothing is fitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from attrition.data.errors import InputError
from attrition.estimation.binding import bind_plan
from attrition.estimation.plan import Plan, read_plan
from attrition.estimation.sensitivity.asked import RELEASED, asked, grid, known
from attrition.estimation.sensitivity.scenario import bind_scenarios

from .exact_world import write_plan

WORLD = """
[[scenario]]
name = "spread"
reason = "a judgement"
set = {"prior.spread" = [0.5, 2.0], "estimate.target_accept" = [0.9, 0.99], "intake.roles" = ["use", "doubtful"]}
[[scenario]]
name = "shares"
reason = "a judgement"
set = {"kind.all_sources.share" = [[0.1, 0.5], [0.6, 0.98]]}
[[scenario]]
name = "one share"
reason = "a judgement"
set = {"kind.all_sources.share" = [0.1, 0.5]}
[[scenario]]
name = "typo"
reason = "neither a value nor a list of values"
set = {"intake.roles" = ["use", "doubtfull"], "exclude.+" = [{offense = "x", reason = "y"}]}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return read_plan(write_plan(tmp_path, WORLD))


def test_a_list_where_one_value_stands_makes_a_grid(plan: Plan) -> None:
    by = {spec.name: grid(plan, spec) for spec in plan.scenario}
    assert [child.name for child in by["spread"]] == [
        f"spread: spread {spread}, target_accept {accept}" for spread in (0.5, 2.0) for accept in (0.9, 0.99)
    ]
    assert all(child.set["intake.roles"] == ["use", "doubtful"] for child in by["spread"])
    assert [child.set["kind.all_sources.share"] for child in by["shares"]] == [[0.1, 0.5], [0.6, 0.98]]
    assert by["one share"] == [plan.scenario[2]]
    assert by["typo"] == [plan.scenario[3]]


def test_a_name_means_an_entry_a_child_or_a_family(plan: Plan) -> None:
    there = known(plan, bind_plan(plan))
    built = [one.spec.name for one in there if not one.own]
    # No all-source counts, no time effect, no delays; one source; nobody is silent.
    assert built == ["priors wider", "priors tighter", *(
        f"without jurisdiction {place}" for place in ("North", "South", "West")
    ), "overdispersion"]  # fmt: skip

    def names(*wanted: str) -> list[str]:
        found, problems = asked(plan, there, wanted)
        assert problems == []
        return [one.spec.name for one in found]

    assert names("priors tighter") == ["priors tighter"]
    assert names("jurisdictions", "one share") == ["one share", *built[2:5]]
    assert len(names("spread")) == 4
    _, problems = asked(plan, there, ["wide", "contamination"])
    assert "no such scenario" in problems[0].line()
    assert "rests on no such judgement" in problems[1].line()
    kept, _ = asked(plan, there, None, RELEASED)
    assert all(one.own for one in kept)


def test_the_plan_names_them_and_a_release_without_any_takes_the_usual_ones(tmp_path: Path) -> None:
    plan = read_plan(write_plan(tmp_path, '[vary]\nscenarios = ["priors"]\n'))
    there = known(plan, bind_plan(plan))
    for where in ((), (RELEASED,)):
        found, problems = asked(plan, there, None, *where)
        assert ([one.spec.name for one in found], problems) == (["priors wider", "priors tighter"], [])
    none = read_plan(write_plan(tmp_path, "[vary]\nscenarios = []\n"))
    assert asked(none, there, None) == ([], [])


def test_what_is_built_in_and_cannot_be_fitted_is_left_out_and_told(tmp_path: Path) -> None:
    path = write_plan(tmp_path)
    lines = path.with_name("data.csv").read_text().splitlines()
    data = [f"{lines[0]},source_id", *(f"{line},s{n}" for n, line in enumerate(lines[1:]))]
    path.with_name("data.csv").write_text("\n".join(data) + "\n")
    found = bind_scenarios(read_plan(path), ["sources", "overdispersion"])
    assert [one.name for one in found.scenarios] == [
        *(f"without source s{n}" for n in range(3)),
        "overdispersion",
    ]
    assert [one.obstacle for one in found.scenarios][3] == "its effects have another form"
    # Without the only place that reports, nothing is left to fit.
    path.with_name("data.csv").write_text("\n".join([data[0], data[1], "theft,South,2023,50,,s1"]) + "\n")
    found = bind_scenarios(read_plan(path), ["sources"])
    assert [one.name for one in found.scenarios] == ["without source s1"]
    assert "no statement carries information" in found.refused[0].line()


def test_a_fault_of_what_the_plan_writes_is_refused(tmp_path: Path) -> None:
    path = write_plan(
        tmp_path, '[[scenario]]\nname = "x"\nreason = "r"\nset = {"prior.spread" = [1.0, -1.0]}\n'
    )
    with pytest.raises(InputError, match="scenario 'x'"):
        bind_scenarios(read_plan(path))


@pytest.mark.parametrize(
    ("unit", "expected"), [("sd", (-0.5, 1.5)), ("logit", (-1.0, 1.0)), ("rate", (-1.0, 1.0))]
)
def test_silent_places_are_moved_by_an_sd_whatever_the_unit_of_the_plan(
    tmp_path: Path, unit: str, expected: tuple[float, float]
) -> None:
    path = write_plan(tmp_path, f'[assume]\nsilent_shift = 0.5\nsilent_unit = "{unit}"\n')
    lines = path.with_name("data.csv").read_text().splitlines()
    path.with_name("data.csv").write_text("\n".join([*lines, "theft,Far,2023,50,"]) + "\n")
    found = bind_scenarios(read_plan(path), ["silent places"]).scenarios
    assert tuple(one.plan.assume.silent_shift for one in found) == expected
    assert {one.plan.assume.silent_unit for one in found} == {"sd"}
