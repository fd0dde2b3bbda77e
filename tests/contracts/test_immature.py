"""Cohorts that are still developing, against enumeration of what becomes of every unit, lag by lag."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import chi2, multinomial

from attrition.data.errors import InputError
from attrition.data.panel import Panel
from attrition.models.blueprint import Blueprint
from attrition.models.field import FieldDraws
from attrition.models.kinds.immature import Immature
from attrition.models.simulate import simulate_panel

from ..panels import Fact, bind, fits, group_logp, make_panel

OFFENSES, PERIODS = ("a", "b"), ("2021", "2022", "2023", "2024")
HORIZON = 2
KIND = {"immature": {"horizon": HORIZON}}
STILL = {"immature": {"horizon": HORIZON, "offense": 0.0, "jurisdiction": 0.0, "drift": 0.0}}
Z = 0.6
UNKNOWN = dict.fromkeys(("lag_hazard", "lag_offense", "lag_drift"), Z)
RATES = {"a": (0.55, 0.35), "b": (0.25, 0.6)}
Dated = tuple[str, Fact]  # year at whose end it was known, with a "p" where it is dated by period; fact


def panel_of(facts: list[Dated], periods: tuple[str, ...] = PERIODS) -> Panel:
    panel = make_panel([fact for _, fact in facts], OFFENSES, ("P",), periods)
    told = [
        replace(s, as_of=f"{year[:4]}-12-31", clock="period" if year.endswith("p") else "cohort")
        for s, (year, _) in zip(panel.statements, facts, strict=True)
    ]
    return replace(panel, statements=tuple(told), dated=True)


def referrals(n: dict[str, int]) -> list[Dated]:
    """By offense and period, e.g. ``a/2023``."""
    return [
        ("2024", ("referral", f"{node.replace('/', '/P/')}", "exact", units)) for node, units in n.items()
    ]


def density(panel: Panel, kinds=KIND) -> tuple[Blueprint, float]:
    blueprint = bind(panel, ["intercept"], kinds=kinds)
    offense = blueprint.layout.coordinates[0]
    p = np.array([RATES[OFFENSES[o]] for o in offense]).T
    return blueprint, sum(group_logp(blueprint, np.log(p / (1 - p)), unknown=UNKNOWN).values())


def delays(offense: str, period: str, kinds=KIND) -> np.ndarray:
    """Shares of the lags of those who pass, by the words of the settings; the same at both steps."""
    settings = Immature.Settings(**kinds["immature"])
    low, high = (math.log(x / (1 - x)) for x in settings.hazard)
    first = (low + high) / 2 + Z * (high - low) / (2 * 1.6448536269514722)
    walk = Z * np.arange(len(PERIODS))
    moved = settings.offense * Z + settings.drift * (walk - walk.mean())[PERIODS.index(period)]
    hazard = [expit(first + settings.walk * Z * d + moved) for d in range(HORIZON)] + [1.0]
    left, out = 1.0, []
    for h in hazard:
        out.append(left * h)
        left *= 1 - h
    return np.array(out)


def fates(offense: str, period: str, kinds=KIND) -> dict[tuple[int, int], float]:
    """Chances of (lag of the investigation, lag of the arrest), both since the referral; 99 for never."""
    f, (p, q) = delays(offense, period, kinds), RATES[offense]
    out = {(99, 99): 1 - p}
    for e, there in enumerate(f):
        out[e, 99] = p * there * (1 - q)
        for lag, then in enumerate(f):
            out[e, e + lag] = out.get((e, e + lag), 0.0) + p * there * q * then
    return out


def enumerated(panel: Panel, n: dict[str, int], kinds=KIND) -> float:
    """P(every later statement | referrals): the sum over what may have become of all units."""
    tables = []
    for node, units in n.items():
        law = fates(*node.split("/"), kinds)
        splits = [
            np.diff([-1, *bars, units + len(law) - 1]) - 1
            for bars in itertools.combinations(range(units + len(law) - 1), len(law) - 1)
        ]
        counts = np.array(splits)
        tables.append((node, np.array(list(law)), counts, multinomial.pmf(counts, units, list(law.values()))))
    later = [s for s in panel.statements if s.stage != "referral"]
    seen = [[np.zeros(len(table[2])) for table in tables] for _ in later]
    for row, s in enumerate(later):
        reached = int(s.as_of[:4])
        stage = 0 if s.stage == "investigation" else 1
        for column, (node, lags, counts, _) in enumerate(tables):
            offense, period = node.split("/")
            if s.clock == "period" and s.offense in ("all", offense):
                seen[row][column] = counts @ (lags[:, stage] + int(period) == int(s.period))
            elif s.clock == "cohort" and s.offense in ("all", offense) and s.period in ("all", period):
                seen[row][column] = counts @ (lags[:, stage] <= reached - int(period))
    shape = [len(table[2]) for table in tables]
    good, weight = np.ones(shape, dtype=bool), np.ones(shape)
    for column, (_, _, _, chance) in enumerate(tables):
        weight = weight * np.expand_dims(chance, tuple(k for k in range(len(shape)) if k != column))
    for row, s in enumerate(later):
        total = np.zeros(shape)
        for column in range(len(tables)):
            total = total + np.expand_dims(
                seen[row][column], tuple(k for k in range(len(shape)) if k != column)
            )
        good &= fits(total, s)
    return float(weight[good].sum())


INV, ARR = "investigation", "arrest"
CASES: dict[str, tuple[dict[str, int], list[Dated]]] = {
    "latest count": ({"a/2024": 3}, [("2024", (INV, "a/P/2024", "exact", 1))]),
    "two dates": (
        {"a/2023": 3},
        [("2023", (INV, "a/P/2023", "exact", 1)), ("2024", (INV, "a/P/2023", "exact", 2))],
    ),
    "three dates, the last one complete": (
        {"a/2022": 3},
        [
            ("2022", (INV, "a/P/2022", "exact", 0)),
            ("2023", (INV, "a/P/2022", "exact", 1)),
            ("2024", (INV, "a/P/2022", "exact", 2)),
        ],
    ),
    "a skipped step": (
        {"a/2023": 3},
        [("2023", (ARR, "a/P/2023", "exact", 0)), ("2024", (ARR, "a/P/2023", "exact", 1))],
    ),
    "a range and a count": (
        {"a/2023": 3},
        [("2023", (INV, "a/P/2023", "suppressed", 1, 2)), ("2024", (INV, "a/P/2023", "exact", 2))],
    ),
    "a sum of cohorts": (
        {f"{o}/{t}": 0 for o in OFFENSES for t in PERIODS} | {"a/2022": 1, "a/2023": 2, "b/2024": 2},
        [("2024", (INV, "all/P/all", "exact", 1))],
    ),
    "a sum at two dates": (
        {"a/2023": 2, "b/2023": 2},
        [("2023", (INV, "all/P/2023", "exact", 1)), ("2024", (INV, "all/P/2023", "exact", 3))],
    ),
    "outcomes by their own date": (
        {"a/2021": 2, "a/2022": 1, "a/2023": 2, "a/2024": 1},
        [("2024p", (INV, "a/P/2023", "exact", 1)), ("2024p", (INV, "a/P/2024", "exact", 2))],
    ),
    "outcomes of all offenses by their own date": (
        {"a/2022": 2, "b/2022": 1, "a/2023": 1, "b/2023": 1, "a/2024": 1, "b/2024": 0},
        [("2024p", (INV, "all/P/2024", "exact", 2))],
    ),
    "two stages at one date": (
        {"a/2024": 3},
        [("2024", (INV, "a/P/2024", "exact", 2)), ("2024", (ARR, "a/P/2024", "exact", 1))],
    ),
    "arrests out of investigations at two dates": (
        {"b/2023": 4},
        [
            ("2023", (INV, "b/P/2023", "exact", 1)),
            ("2024", (INV, "b/P/2023", "exact", 3)),
            ("2024", (ARR, "b/P/2023", "exact", 1)),
        ],
    ),
    "arrests out of a complete count": (
        {"a/2022": 3},
        [("2024", (INV, "a/P/2022", "exact", 2)), ("2024", (ARR, "a/P/2022", "exact", 1))],
    ),
    "arrests out of a complete count known by dates": (
        {"a/2022": 3},
        [
            ("2022", (INV, "a/P/2022", "exact", 1)),
            ("2024", (INV, "a/P/2022", "exact", 3)),
            ("2024", (ARR, "a/P/2022", "exact", 2)),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_density_equals_enumeration(name):
    n, reports = CASES[name]
    panel = panel_of([*referrals(n), *reports])
    blueprint, found = density(panel)
    assert {d.action for d in blueprint.analysis.decisions} <= {"used", "known"}
    assert np.exp(found) == pytest.approx(enumerated(panel, n), rel=1e-8)


def test_the_counts_of_two_dates_exhaust_what_can_be_seen():
    n, total = {"a/2023": 3}, 0.0
    for late in range(4):
        for early in range(late + 1):
            facts = [("2023", (INV, "a/P/2023", "exact", early)), ("2024", (INV, "a/P/2023", "exact", late))]
            total += np.exp(density(panel_of([*referrals(n), *facts]))[1])
    assert total == pytest.approx(1.0, rel=1e-9)


def test_without_delay_it_is_exact(monkeypatch):
    panel = panel_of([*referrals({"a/2024": 3}), ("2024", (INV, "a/P/2024", "exact", 1))])
    monkeypatch.setitem(UNKNOWN, "lag_hazard", 60.0)
    assert density(panel)[1] == pytest.approx(density(panel, {})[1], rel=1e-12)


def test_with_every_count_older_than_the_horizon_it_is_exact():
    facts = [("2024", (INV, "a/P/2022", "exact", 2)), ("2024", (ARR, "b/P/2022", "exact", 1))]
    n = {"a/2022": 3, "b/2022": 4}
    early = {"immature": {"horizon": 1}}
    blueprint, found = density(panel_of([*referrals(n), *facts]), early)
    assert found == pytest.approx(density(panel_of([*referrals(n), *facts]), {})[1], rel=1e-12)
    assert blueprint.unknowns == ()


def refused(facts, n, kinds=KIND):
    with pytest.raises(InputError) as caught:
        density(panel_of([*referrals(n), *facts]), kinds)
    (problem,) = caught.value.problems
    return problem


FALLS = [("2023", (INV, "a/P/2023", "exact", 3)), ("2024", (INV, "a/P/2023", "exact", 2))]


def test_a_count_that_falls_is_refused_with_its_rows():
    problem = refused(FALLS, {"a/2023": 5})
    assert problem.what == "investigation count falls from one date to the next"
    assert problem.where == "t.csv, row 1 and t.csv, row 2"


def test_or_the_counts_before_the_correction_are_dropped_and_listed():
    latest = {"immature": {**KIND["immature"], "revisions": "latest"}}
    blueprint, found = density(panel_of([*referrals({"a/2023": 5}), *FALLS]), latest)
    assert found == pytest.approx(density(panel_of([*referrals({"a/2023": 5}), FALLS[1]]))[1], rel=1e-12)
    dropped = [d for d in blueprint.analysis.decisions if d.action == "dropped"]
    assert [(d.statement, d.reason) for d in dropped] == [("s1", "corrected downwards by t.csv, row 2")]


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ([("2024", (INV, "a/P/2024", "exact", 4))], "investigation count above its denominator"),
        (
            [("2023", (INV, "a/P/2021", "exact", 1)), ("2024", (INV, "a/P/2021", "exact", 2))],
            "investigation counts go on rising beyond the horizon",
        ),
        (
            [("2022", (INV, "a/P/2022", "exact", 2)), ("2024", (INV, "a/P/2022", "exact", 1))],
            "investigation count falls from one date to the next",
        ),
    ],
)
def test_what_cannot_be_true_is_refused(facts, what):
    period = facts[0][1][1].split("/")[-1]
    assert refused(facts, {f"a/{period}": 3}).what == what


def test_what_no_density_covers_is_left_out_with_a_reason():
    n = {"a/2023": 3, "b/2023": 2}
    facts = [("2024", (INV, "a/P/2023", "exact", 1)), ("2024", (INV, "all/P/2023", "exact", 3))]
    blueprint, found = density(panel_of([*referrals(n), *facts]))
    reasons = {d.statement: d.reason for d in blueprint.analysis.decisions if d.action == "unused"}
    assert reasons == {"s3": "other counts of some of its cells are known; the two share unobserved counts"}
    assert found == pytest.approx(density(panel_of([*referrals(n), facts[0]]))[1], rel=1e-12)


def test_period_counts_need_their_cohorts_and_share_nothing():
    n = {f"a/{t}": 2 for t in PERIODS}
    year = ("2024p", (INV, "a/P/2024", "exact", 1))
    facts = [
        year,
        ("2024p", (INV, "a/P/2022", "exact", 1)),
        ("2023p", (INV, "a/P/2024", "exact", 1)),
    ]
    blueprint, found = density(panel_of([*referrals(n), *facts]))
    reasons = {d.statement: d.reason for d in blueprint.analysis.decisions if d.action == "unused"}
    assert reasons == {
        "s5": "it also holds outcomes of referrals before 2021, and those are not recorded",
        "s6": "some of its outcomes had not reached the tables by its date",
    }
    assert found == pytest.approx(density(panel_of([*referrals(n), year]))[1], rel=1e-12)
    both = [year, ("2024", (INV, "a/P/2023", "exact", 1))]
    blueprint, _ = density(panel_of([*referrals(n), *both]))
    unused = [d for d in blueprint.analysis.decisions if d.action == "unused"]
    assert [d.statement for d in unused] == ["s4"]
    assert unused[0].reason.endswith("the two share unobserved counts")


def test_the_twin_is_seen_as_the_density_says():
    """Frequencies of what a simulated panel states, against the density of each outcome."""
    n = {"a/2023": 3, "b/2022": 2}
    facts = [
        ("2023", (INV, "a/P/2023", "exact", 1)),
        ("2024", (INV, "a/P/2023", "exact", 2)),
        ("2024", (ARR, "a/P/2023", "exact", 1)),
        ("2023", (ARR, "b/P/2022", "exact", 1)),
    ]
    blueprint, _ = density(panel_of([*referrals(n), *facts]))
    logits = np.array([[np.log(0.5), np.log(0.9)]])
    z = {one.name: np.full((1, *one.shape), Z) for one in blueprint.unknowns}
    draws = FieldDraws(logits, {}, {}, np.ones((1, 2)), unknown=z)
    rng, seen = np.random.default_rng(5), Counter()
    runs = 2500
    for _ in range(runs):
        twin = simulate_panel(rng, blueprint, draws)
        seen[tuple(s.count for s in twin.panel.statements[2:])] += 1
    eta = np.repeat(logits.T, blueprint.layout.size, axis=1)
    chi, left, cells = 0.0, float(runs), 0
    for outcome, count in seen.most_common(12):
        told = [(year, (*fact[:3], y)) for (year, fact), y in zip(facts, outcome, strict=True)]
        other = bind(panel_of([*referrals(n), *told]), ["intercept"], kinds=KIND)
        expected = runs * np.exp(sum(group_logp(other, eta, unknown=UNKNOWN).values()))
        chi += (count - expected) ** 2 / expected
        left, cells = left - expected, cells + 1
    rest = runs - sum(count for _, count in seen.most_common(12))
    chi += (rest - left) ** 2 / left
    assert chi2.sf(chi, cells) > 1e-3
