"""Counts that can be taken back, against enumeration of every unit's record, period by period."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import chi2, multinomial

from attrition.data.errors import InputError
from attrition.estimation.bounds import Bounds
from attrition.estimation.completion import complete
from attrition.models.field import FieldDraws
from attrition.models.simulate import simulate_panel

from ..dated import ARR, HORIZON, INV, OFFENSES, RATES, UNKNOWN, Dated, Z, delays, panel_of, referrals
from ..panels import bind, group_logp

MODEL = {"immature": {"horizon": HORIZON, "revisions": "model", "revised": (0.1, 0.5)}}
AGES = range(HORIZON + 1)


def looked_at() -> float:
    """ω by the words of the setting."""
    low, high = (np.log(x / (1 - x)) for x in (0.1, 0.5))
    return float(expit((low + high) / 2 + Z * (high - low) / (2 * 1.6448536269514722)))


def density(panel, kinds=MODEL, z=Z):
    blueprint = bind(panel, ["intercept"], kinds=kinds)
    p = np.array([RATES[OFFENSES[o]] for o in blueprint.layout.coordinates[0]]).T
    unknown = UNKNOWN | {"revised": z}
    return blueprint, sum(group_logp(blueprint, np.log(p / (1 - p)), unknown=unknown).values())


def stories(offense: str, period: str, omega: float) -> dict[tuple[int, ...], float]:
    """Chances of a unit's record at each age, written forwards."""
    pi = RATES[offense][0] * np.cumsum(delays(offense, period))
    out = {}
    for story in itertools.product((0, 1), repeat=len(pi)):
        chance = pi[0] if story[0] else 1 - pi[0]
        for age in range(1, len(pi)):
            undisturbed = 1.0 if story[age - 1] else (pi[age] - pi[age - 1]) / (1 - pi[age - 1])
            counted = (1 - omega) * undisturbed + omega * pi[age]
            chance *= counted if story[age] else 1 - counted
        out[story] = chance
    return out


def table(node: str, units: int, omega: float) -> tuple[np.ndarray, np.ndarray]:
    """Counts at each age (K, ages) of every table of stories, and its probability."""
    law = stories(*node.split("/"), omega)
    bars = itertools.combinations(range(units + len(law) - 1), len(law) - 1)
    counts = np.array([np.diff([-1, *bar, units + len(law) - 1]) - 1 for bar in bars])
    return counts @ np.array(list(law)), multinomial.pmf(counts, units, list(law.values()))


CASES: dict[str, tuple[str, int, dict[int, int]]] = {
    "falls": ("a/2023", 4, {0: 2, 1: 1}),
    "rises": ("a/2023", 4, {0: 1, 1: 3}),
    "the latest alone": ("a/2023", 4, {1: 3}),
    "falls to the complete count": ("b/2022", 4, {0: 1, 1: 3, 2: 2}),
    "a date left out": ("b/2022", 4, {0: 3, 2: 1}),
    "nothing is left in the end": ("a/2022", 3, {0: 1, 1: 2, 2: 0}),
    "everything is counted, then less": ("b/2022", 3, {0: 3, 1: 3, 2: 2}),
}


def reports(node: str, said: dict[int, int]) -> list[Dated]:
    offense, period = node.split("/")
    return [
        (str(int(period) + age), (INV, f"{offense}/P/{period}", "exact", count))
        for age, count in said.items()
    ]


@pytest.mark.parametrize("name", CASES)
def test_density_equals_enumeration(name):
    node, units, said = CASES[name]
    blueprint, found = density(panel_of([*referrals({node: units}), *reports(node, said)]))
    assert {d.action for d in blueprint.analysis.decisions} <= {"used", "known"}
    counts, chance = table(node, units, looked_at())
    agree = np.all([counts[:, age] == count for age, count in said.items()], axis=0)
    assert np.exp(found) == pytest.approx(chance[agree].sum(), rel=1e-8)


def test_where_no_record_is_looked_at_counts_are_as_if_they_never_fell():
    node, units, said = "b/2022", 4, {0: 1, 1: 1, 2: 3}
    panel = panel_of([*referrals({node: units}), *reports(node, said)])
    never = density(panel, {"immature": {"horizon": HORIZON}})[1]
    assert density(panel, z=-60.0)[1] == pytest.approx(never, rel=1e-8)


@pytest.mark.parametrize("name", ["falls", "rises", "the latest alone"])
def test_complete_counts_have_their_law_given_what_was_seen(name):
    draws_of = 4000
    node, units, said = CASES[name]
    panel = panel_of([*referrals({node: units}), *reports(node, said)])
    blueprint, _ = density(panel)
    p = np.array([RATES[OFFENSES[o]] for o in blueprint.layout.coordinates[0]]).T
    eta = np.repeat(np.log(p / (1 - p))[None], draws_of, axis=0)
    z = {one.name: np.full((draws_of, *one.shape), Z) for one in blueprint.unknowns}
    draws = FieldDraws(np.zeros((draws_of, 2)), {}, {}, np.ones((draws_of, 2)), unknown=z)
    drawn = complete(np.random.default_rng(3), blueprint, eta, draws)[:, 1, 0]
    counts, chance = table(node, units, looked_at())
    agree = np.all([counts[:, age] == count for age, count in said.items()], axis=0)
    law = np.bincount(counts[agree, -1], chance[agree], units + 1) / chance[agree].sum()
    seen = np.bincount(drawn.astype(int), minlength=units + 1) / draws_of
    np.testing.assert_allclose(seen, law, atol=4.5 * 0.5 / np.sqrt(draws_of))
    limits = Bounds(panel, blueprint.analysis).cell_bounds[1, blueprint.layout.cells[0]]
    assert limits.tolist() == [0.0, units]  # what was counted can be taken back


def reasons(facts: list[Dated]) -> dict[str, str]:
    blueprint, _ = density(panel_of(facts))
    return {d.statement: d.reason for d in blueprint.analysis.decisions if d.action == "unused"}


def test_of_sums_and_skipped_steps_only_the_latest_is_read():
    n = {"a/2023": 3, "b/2023": 2}
    both = [("2023", (INV, "all/P/2023", "exact", 3)), ("2024", (INV, "all/P/2023", "exact", 2))]
    said = "corrections are modelled of exact counts of single cells out of"
    assert reasons([*referrals(n), *both])["s2"].startswith(f"{said} referral;")
    skipped = [("2023", (ARR, "a/P/2023", "exact", 2)), ("2024", (ARR, "a/P/2023", "exact", 1))]
    assert reasons([*referrals(n), *skipped])["s2"].startswith(f"{said} investigation;")
    shut = [("2024", (INV, "a/P/2023", "exact", 1)), ("2024", (INV, "a/P/2023", "closed", 1))]
    assert reasons([*referrals(n), *shut]) == {"s3": "closed units are read where no count is taken back"}


def test_arrests_are_read_out_of_the_latest_investigations():
    """Those counted as investigated at the date entered at some lag up to it, whatever earlier tables said."""
    n = {"b/2023": 4}
    facts = [
        ("2023", (INV, "b/P/2023", "exact", 3)),
        ("2024", (INV, "b/P/2023", "exact", 2)),
        ("2024", (ARR, "b/P/2023", "exact", 1)),
    ]
    _, found = density(panel_of([*referrals(n), *facts]))
    _, before = density(panel_of([*referrals(n), *facts[:2]]))
    f = delays("b", "2023")
    within = (f[0] * (f[0] + f[1]) + f[1] * f[0]) / (f[0] + f[1])
    chance = RATES["b"][1] * within
    assert np.exp(found - before) == pytest.approx(2 * chance * (1 - chance), rel=1e-8)


def test_what_cannot_be_true_is_refused():
    facts = [("2023", (INV, "a/P/2023", "exact", 4)), ("2024", (INV, "a/P/2023", "exact", 2))]
    with pytest.raises(InputError) as caught:
        density(panel_of([*referrals({"a/2023": 3}), *facts]))
    assert [problem.what for problem in caught.value.problems] == [
        "investigation count above its denominator"
    ]


def test_the_twin_is_seen_as_the_density_says():
    node, units = "b/2022", 3
    facts = [*referrals({node: units}), *reports(node, {0: 1, 1: 1, 2: 1})]
    blueprint, _ = density(panel_of(facts))
    p = RATES["b"]
    logits = np.log(np.array([p]) / (1 - np.array([p])))
    z = {one.name: np.full((1, *one.shape), Z) for one in blueprint.unknowns}
    draws = FieldDraws(logits, {}, {}, np.ones((1, 2)), unknown=z)
    rng, seen, runs = np.random.default_rng(6), Counter(), 800
    for _ in range(runs):
        twin = simulate_panel(rng, blueprint, draws)
        seen[tuple(int(s.count) for s in twin.panel.statements[1:])] += 1
    counts, chance = table(node, units, looked_at())
    expected = Counter()
    for row, one in zip(counts, chance, strict=True):
        expected[tuple(row)] += runs * one
    most = [outcome for outcome, _ in expected.most_common(12)]
    chi = sum((seen[outcome] - expected[outcome]) ** 2 / expected[outcome] for outcome in most)
    rest = runs - sum(seen[outcome] for outcome in most)
    left = runs - sum(expected[outcome] for outcome in most)
    assert chi2.sf(chi + (rest - left) ** 2 / left, len(most)) > 1e-3
