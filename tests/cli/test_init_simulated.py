"""A simulated world: the same for the same seed, and its truth that of its data."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from attrition.cli.simulated import parse_kinds
from attrition.data.errors import InputError
from attrition.data.intake import read_panel
from attrition.estimation.plan import read_plan
from attrition.models.worlds import SEEN_AS, WorldSpec, draw_world, walk

SIZES = ("--offenses", 3, "--jurisdictions", 10, "--periods", 4, "--mean-referrals", 40)
MIXED = "exact:3,total:4,bounded:2,silent:1"
KEYS = ["offense", "jurisdiction", "period"]


@pytest.fixture
def world(shell, tmp_path):
    """``init simulated`` with options, in a folder of its own."""

    def call(name: str, *options):
        answer = shell("init", "simulated", tmp_path / name, *SIZES, *options)
        assert answer.code == 0, answer.err
        return tmp_path / name

    return call


def test_the_seed_decides_everything(world):
    first, same, other = (
        world(name, "--kinds", MIXED, "--seed", seed) for name, seed in zip("abc", (5, 5, 6), strict=True)
    )
    for path in sorted(first.iterdir()):
        assert (same / path.name).read_bytes() == path.read_bytes()
    assert (other / "data.csv").read_bytes() != (first / "data.csv").read_bytes()


def test_seeing_less_changes_nothing_that_happened(world):
    whole, part = world("a"), world("b", "--kinds", MIXED, "--silent", 0.3)
    for name in ("truth.parquet", "truth_counts.parquet"):
        assert (whole / name).read_bytes() == (part / name).read_bytes()


def test_exact_data_are_the_true_counts(world):
    folder = world("a")
    assert not (folder / "statements.csv").exists()
    data = pd.read_csv(folder / "data.csv").melt(KEYS, var_name="stage", value_name="count")
    truth = pd.read_parquet(folder / "truth_counts.parquet")
    both = data.merge(truth, on=["stage", *KEYS], validate="one_to_one")
    assert len(both) == len(data) == 3 * 3 * 10 * 4
    assert (both["count_x"] == both["count_y"]).all()


def test_every_statement_is_true(world):
    folder = world("a", "--kinds", "exact,total,bounded,skipped", "--steps", 3)
    plan = read_plan(folder / "plan.toml")
    panel, intake = read_panel(plan.panel_spec(), plan.folder)
    assert intake.counts["used"] == intake.counts["read"]
    truth = pd.read_parquet(folder / "truth_counts.parquet").set_index(["stage", *KEYS])["count"]
    names = {axis: panel.axes[axis].leaves for axis in KEYS}
    relations = set()
    for one in panel.statements:
        offenses = names["offense"] if one.offense == "all" else [one.offense]
        happened = sum(truth[one.stage, o, one.jurisdiction, one.period] for o in offenses)
        low, high = (one.count, one.count) if one.relation == "exact" else (one.low, one.high)
        assert low <= happened <= high
        relations.add((one.relation, one.offense == "all"))
    assert relations == {("exact", False), ("exact", True), ("suppressed", False)}


def test_counts_scatter_around_the_true_rates(world):
    """The sum of squared standardised residuals is chi-squared: within four of its sds."""
    folder = world("a", "--mean-referrals", 400, "--periods", 12)
    rates = pd.read_parquet(folder / "truth.parquet")
    counts = pd.read_parquet(folder / "truth_counts.parquet").set_index(["stage", *KEYS])["count"]
    for step in ("referral-investigation", "investigation-arrest"):
        rows = rates[rates["step"] == step]
        source, target = step.split("-")
        index = pd.MultiIndex.from_frame(rows[KEYS])
        n = counts[source].reindex(index).to_numpy(float)
        y = counts[target].reindex(index).to_numpy(float)
        p = rows["rate"].to_numpy()
        keep = n * p * (1 - p) > 2
        z = (y - n * p)[keep] / np.sqrt(n * p * (1 - p))[keep]
        assert abs((z**2).sum() - keep.sum()) < 4 * np.sqrt(2 * keep.sum())


def test_kinds_have_the_shares_asked_for(world):
    spec = WorldSpec(4, 12, 8, kinds=parse_kinds(MIXED), seed=3)
    seen = np.bincount(draw_world(spec).seen.ravel(), minlength=len(SEEN_AS)) / 96
    for name, share in {"exact": 0.3, "total": 0.4, "bounded": 0.2, "skipped": 0.0, "silent": 0.1}.items():
        assert seen[SEEN_AS.index(name)] == pytest.approx(share, abs=1 / 96)


def test_silent_jurisdictions_say_nothing_after_the_first_stage(world):
    folder = world("a", "--silent", 0.3, "--kinds", "exact,total")
    data = pd.read_csv(folder / "data.csv")
    rest = pd.read_csv(folder / "statements.csv")
    later = data[["investigation", "arrest"]].notna().any(axis=1)
    heard = {*data.loc[later, "jurisdiction"], *rest["jurisdiction"]}
    assert len(set(data["jurisdiction"]) - heard) == 3
    assert data["referral"].notna().all()


def test_truth_json_records_what_the_rates_were_drawn_from(world):
    truth = json.loads((world("a", "--seed", 9) / "truth.json").read_text())
    assert truth["seed"] == 9
    assert set(truth["sd"]) == set(truth["intercept"]) == {"referral-investigation", "investigation-arrest"}
    spread = truth["sd"]["referral-investigation"]
    assert set(spread) == {"offense", "jurisdiction", "time", "offense_jurisdiction", "offense_time", "cell"}


@pytest.mark.parametrize("length", [2, 5, 40])
def test_walks_have_a_typical_variance_of_one_whatever_their_length(length):
    draws = walk(np.random.default_rng(1).normal(size=(40_000, length)))
    assert np.abs(draws.mean(axis=-1)).max() < 1e-12
    assert np.exp(np.log(draws.var(axis=0)).mean()) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--kinds", "exakt"), "did you mean 'exact'"),
        (("--kinds", "exact:x"), "weight of a kind"),
        (("--kinds", "exact:0"), "no kind has a weight"),
        (("--kinds", "exact:-1"), "weight of a kind"),
        (("--steps", 9), "--steps"),
        (("--steps", 1, "--kinds", "skipped"), "no stage to skip"),
        (("--silent", 1.5), "--silent"),
        (("--offenses", 0), "too few offenses"),
        (("--periods", 1000), "too many periods; found 1000; allowed: 344 or fewer quarters"),
        (("--mean-referrals", 0), "--mean-referrals"),
        (("--seed", -1), "--seed"),
    ],
)
def test_an_impossible_world_leaves_nothing(shell, tmp_path, options, said):
    answer = shell("init", "simulated", tmp_path / "w", *options)
    assert answer.code == 2
    assert said in answer.err
    assert not (tmp_path / "w").exists()


def test_a_world_may_reach_the_last_year():
    assert WorldSpec(periods=344).problems() == []


def test_all_faults_at_once():
    with pytest.raises(InputError) as caught:
        draw_world(WorldSpec(offenses=0, jurisdictions=0, silent=2, seed=-1))
    assert len(caught.value.problems) == 4
