"""Reading a plan: patches, and one line with advice for each fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from attrition.data.errors import InputError
from attrition.estimation.binding import bind_plan
from attrition.estimation.engines.nuts import aim
from attrition.estimation.plan import apply_patches, read_plan, settled

PLAN = """
[funnel]
stages = ["referral", "investigation"]
[[input]]
file = "data.csv"
values = {origin = {"x.y" = "referred_only"}}
[prior]
spread = 1.0
[[effect]]
kind = "time"
over = "rw1"
[[effect]]
kind = "cell"
"""


@pytest.fixture
def write(tmp_path):
    def make(text: str, name: str = "plan.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make


def faults(path, patches=None):
    with pytest.raises(InputError) as caught:
        read_plan(path, patches)
    assert caught.value.exit_code == 2
    return caught.value.problems


class TestPatches:
    def test_a_dotted_key(self, write):
        plan = read_plan(write(PLAN), {"prior.spread": 2.0, "estimate.draws": 99})
        assert (plan.prior.spread, plan.estimate.draws) == (2.0, 99)
        assert plan.patches == {"prior.spread": 2.0, "estimate.draws": 99}

    def test_an_effect_by_its_kind_and_by_its_place(self, write):
        for key in ("effect.time.over", "effect.0.over"):
            plan = read_plan(write(PLAN), {key: "iid"})
            assert plan.effect == ({"kind": "time", "over": "iid"}, {"kind": "cell"})

    def test_a_quoted_part_may_hold_dots(self, write):
        plan = read_plan(write(PLAN), {'input.0.values.origin."x.y"': "unknown"})
        assert plan.input[0].values == {"origin": {"x.y": "unknown"}}

    def test_a_section_that_is_not_there_is_made(self, write):
        assert read_plan(write(PLAN), {"answer.period": "2024"}).answer.period == "2024"

    def test_the_original_stays(self):
        raw = {"prior": {"spread": 1.0}}
        assert apply_patches(raw, {"prior.spread": 3.0}) == {"prior": {"spread": 3.0}}
        assert raw == {"prior": {"spread": 1.0}}

    @pytest.mark.parametrize(
        ("key", "found"), [("effect.cel.form", "cel"), ("effect.7.over", "7"), ("prior.spread.x.y", "x")]
    )
    def test_a_place_that_is_not_there(self, write, key, found):
        (problem,) = faults(write(PLAN), {key: 1})
        assert (problem.what, problem.where, problem.found) == (
            "no such place in the plan",
            f"--set {key}",
            found,
        )

    def test_a_key_of_a_number(self, write):
        (problem,) = faults(write(PLAN), {"prior.spread.x": 1})
        assert problem.what == "does not lead to a table"

    def test_a_patched_fault_is_found_like_a_written_one(self, write):
        (problem,) = faults(write(PLAN), {"prior.sprad": 1})
        assert problem.do == "did you mean 'spread'?"


LEVELS = [
    ("answr = 1\n" + PLAN, "answr", "answer"),
    (PLAN.replace("stages =", "stagse = 1\nstages ="), "funnel.stagse", "stages"),
    (PLAN.replace('file = "data.csv"', 'file = "data.csv"\nfrom = "wide"'), "input.1.from", "form"),
    (PLAN.replace("spread =", "spraed = 1\nspread ="), "prior.spraed", "spread"),
    (PLAN + "[axes]\noffence = 'o.csv'\n", "axes.offence", "offense"),
    (PLAN + "[answer]\njurisdicton = 'x'\n", "answer.jurisdicton", "jurisdiction"),
    (PLAN + "[estimate]\ndarws = 200\n", "estimate.darws", "draws"),
    (PLAN + "[publish]\ncell = true\n", "publish.cell", "cells"),
    (PLAN + "[sources]\nfile = 's.csv'\nfiel = 's.csv'\n", "sources.fiel", "file"),
    (PLAN + "[prior.phi]\ndist = 'exponential'\nmaen = 2\n", "prior.phi.maen", "mean"),
    (PLAN + "[prior.intercept]\nmedain = 0.2\n", "prior.intercept.medain", "median"),
    (PLAN + "[prior.intercept.a-b]\nmedain = 0.2\n", "prior.intercept.a-b.medain", "median"),
]


class TestFaults:
    @pytest.mark.parametrize(("text", "key", "meant"), LEVELS, ids=[key for _, key, _ in LEVELS])
    def test_an_unknown_key_at_every_level(self, write, text, key, meant):
        (problem,) = faults(write(text))
        assert (problem.what, problem.found) == ("unknown key", key)
        assert f"'{meant}'" in problem.do

    @pytest.mark.parametrize(
        ("text", "where", "meant"),
        [
            (PLAN.replace('over = "rw1"', 'ovr = "rw1"'), "plan, [[effect]] 1 (time)", "over"),
            (PLAN + "[kind.bounded]\nroundin = 5\n", "plan, [kind.bounded]", "rounding"),
            (PLAN + "[kind.bouned]\nrounding = 5\n", "plan, [kind.bouned]", "bounded"),
            (PLAN.replace('kind = "cell"', 'kind = "cel"'), "plan, [[effect]] 2", "cell"),
        ],
    )
    def test_unknown_settings_of_effects_and_kinds(self, write, text, where, meant):
        with pytest.raises(InputError) as caught:
            bind_plan(read_plan(write(text)))
        (problem,) = caught.value.problems
        assert problem.where == where
        assert f"'{meant}'" in problem.do

    def test_every_fault_at_once(self, write):
        problems = faults(write("[funnel]\nstagse = 1\n[prior]\nspread = -1\n"))
        assert [problem.what for problem in problems].count("missing key") == 2
        assert {"unknown key", "missing key"} < {problem.what for problem in problems}
        assert any(problem.found == "-1" and "prior.spread" in problem.where for problem in problems)

    def test_no_input(self, write):
        (problem,) = faults(write("input = []\n[funnel]\nstages = ['a', 'b']\n"))
        assert problem.what == "too few entries"
        assert problem.where.endswith("input")

    def test_a_newer_format(self, write):
        (problem,) = faults(write("format = 2\nsomething_new = 1\n" + PLAN))
        assert "newer format" in problem.what
        assert (problem.found, problem.allowed) == ("format = 2", "format = 1")

    @pytest.mark.parametrize("value", ["0", '"1"', "1.5"])
    def test_a_format_that_is_none(self, write, value):
        (problem,) = faults(write(f"format = {value}\n" + PLAN))
        assert "format" in problem.where

    def test_not_toml(self, write):
        (problem,) = faults(write('[funnel\nstages = ["a"]\n'))
        assert "not valid TOML" in problem.what
        assert "line 1" in problem.what

    def test_not_text(self, tmp_path):
        (tmp_path / "plan.toml").write_bytes(b"name = '\xff\xfe'\n")
        (problem,) = faults(tmp_path)
        assert problem.do == "save it as UTF-8 text"

    def test_no_file(self, tmp_path):
        (problem,) = faults(tmp_path / "nowhere.toml")
        assert problem.what == "no such plan"
        assert "attrition init" in problem.do

    def test_keys_of_the_program(self, write):
        (problem,) = faults(write("folder = '/tmp'\n" + PLAN))
        assert problem.found == "folder"


class TestNames:
    def test_of_the_file(self, write):
        assert read_plan(write(PLAN, "quarterly.toml")).name == "quarterly"

    def test_of_the_folder_where_the_file_is_called_plan(self, write, tmp_path):
        assert read_plan(write(PLAN)).name == tmp_path.name
        assert read_plan(tmp_path).name == tmp_path.name

    def test_as_written(self, write):
        assert read_plan(write('name = "mine"\n' + PLAN)).name == "mine"


class TestScenarios:
    ENTRY = """[[scenario]]
name = "wide"
reason = "a judgement"
set = {"prior.spread" = 2.0, "axes.from" = 2015-01-01}
"""

    def test_as_written_with_dates_as_text(self, write):
        (found,) = read_plan(write(PLAN + self.ENTRY)).scenario
        assert (found.name, found.reason) == ("wide", "a judgement")
        assert found.set == {"prior.spread": 2.0, "axes.from": "2015-01-01"}

    def test_they_are_no_part_of_what_is_fitted(self, write):
        one, two = (read_plan(write(PLAN + more)).model_dump(mode="json") for more in ("", self.ENTRY))
        assert one == two

    @pytest.mark.parametrize("key", ["name", "reason", "set"])
    def test_each_needs_a_name_a_reason_and_a_patch(self, write, key):
        lines = [line for line in self.ENTRY.splitlines() if not line.startswith(key)]
        (problem,) = faults(write(PLAN + "\n".join(lines)))
        assert (problem.what, problem.allowed) == ("missing key", f"scenario.1.{key}")

    def test_an_empty_patch(self, write):
        (problem,) = faults(write(PLAN + '[[scenario]]\nname = "n"\nreason = "r"\nset = {}\n'))
        assert "scenario.1.set" in problem.where


class TestSections:
    def test_defaults(self, write):
        plan = read_plan(write(PLAN))
        assert (plan.assume.silent_shift, plan.intake.roles, plan.mix) == (0.0, ("use",), None)

    def test_they_reach_what_is_read(self, write):
        text = PLAN + '[intake]\nroles = ["use", "doubtful"]\n[mix]\nstage = "report"\njurisdiction = "XX"\n'
        spec = read_plan(write(text + "[assume]\nsilent_shift = -1.0\n")).panel_spec()
        assert spec.roles == ("use", "doubtful")
        assert (spec.mix.stage, spec.mix.jurisdiction) == ("report", "XX")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[intake]\nroles = ['context']\n", "never fitted"),
            ("[intake]\nroles = ['used']\n", "intake.roles"),
            ("[intake]\nroles = []\n", "intake.roles"),
            ("[assume]\nsilent_shift = inf\n", "assume.silent_shift"),
            ("[assume]\nsilent_shfit = 1\n", "'silent_shift'"),
            ("[mix]\nstage = 'report'\n", "mix.jurisdiction"),
            ("[mix]\nstage = 'referral'\njurisdiction = 'XX'\n", "is a stage of the funnel"),
            ("[axes]\nform = '2015'\n", "'from'"),
        ],
    )
    def test_faults(self, write, text, words):
        (problem,) = faults(write(PLAN + text))
        assert words in problem.line()


class TestOneFit:
    @pytest.mark.parametrize("chains", [2, 4, 8, 40])
    def test_a_draft_of_many_chains_is_a_draft(self, write, chains):
        plan = settled(read_plan(write(PLAN), {"estimate.chains": chains}), draft=True)
        assert aim(plan.estimate).draft
        assert plan.estimate.chains == min(chains, 4)

    def test_what_is_known_on_a_day_to_come_is_not_known(self, write):
        """It is told with the other faults, before anything is read."""
        plan = read_plan(write(PLAN + '[intake]\nas_of = "2099-01"\n[kind.share]\nsd = -1\n'))
        with pytest.raises(InputError) as caught:
            bind_plan(plan)
        late, other = caught.value.problems
        assert late.line().startswith(
            "plan, [intake] as_of: a date in the future; found 2099-01-31; allowed: "
        )
        assert "[kind.share]" in other.where
