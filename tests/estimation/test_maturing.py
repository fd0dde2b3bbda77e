"""Complete counts of developing cohorts against enumeration, and what was assigned so far."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.estimation.bounds import Bounds
from attrition.estimation.completion import complete
from attrition.estimation.so_far import counts_so_far
from attrition.models.field import FieldDraws

from ..closings import closed, tables
from ..closings import density as with_closings
from ..dated import CASES, INV, OFFENSES, RATES, Z, density, panel_of, referrals, worlds

DRAWS = 4000
SOME = (
    "two dates", "a skipped step", "a sum of cohorts", "outcomes by their own date",
    "arrests out of investigations at two dates", "arrests out of a complete count known by dates",
)  # fmt: skip


@pytest.mark.parametrize("name", SOME)
def test_complete_counts_have_their_law_given_what_was_seen(name):
    n, reports = CASES[name]
    panel = panel_of([*referrals(n), *reports])
    blueprint, _ = density(panel)
    p = np.array([RATES[OFFENSES[o]] for o in blueprint.layout.coordinates[0]]).T
    eta = np.repeat(np.log(p / (1 - p))[None], DRAWS, axis=0)
    z = {one.name: np.full((DRAWS, *one.shape), Z) for one in blueprint.unknowns}
    draws = FieldDraws(np.zeros((DRAWS, 2)), {}, {}, np.ones((DRAWS, 2)), unknown=z)
    counts = complete(np.random.default_rng(3), blueprint, eta, draws)
    everything = worlds(n)
    weight = np.where(everything.stated(panel), everything.probability, 0.0)
    weight /= weight.sum()
    bounds = Bounds(panel, blueprint.analysis).cell_bounds
    names = [panel.axes.cell_names(int(cell)) for cell in blueprint.layout.cells]
    at = [names.index((node.split("/")[0], "P", node.split("/")[1])) for node in everything.nodes]
    for stage in (1, 2):
        drawn, whole = counts[:, stage, at], everything.complete(stage - 1)
        mean = weight @ whole
        sd = np.sqrt(np.maximum(weight @ whole**2 - mean**2, 0.0))
        np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=4.5 * sd.max() / np.sqrt(DRAWS) + 1e-9)
        np.testing.assert_allclose(drawn.std(axis=0), sd, atol=0.05)
        limits = bounds[stage, blueprint.layout.cells[at]]
        assert (drawn >= limits[:, 0]).all()
        assert (drawn <= limits[:, 1]).all()


def test_what_was_assigned_so_far_is_the_latest_count():
    n, reports = CASES["arrests out of investigations at two dates"]
    blueprint, _ = density(panel_of([*referrals(n), *reports]))
    counts, young = counts_so_far(blueprint)
    assert counts[:, 0].tolist() == [4.0, 3.0, 1.0]
    assert young[:, 0].tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("n", "known"), [({"a/2023": 50, "a/2024": 0}, []), ({"a/2023": 0, "a/2024": 50}, [5.0])]
)
def test_outcomes_of_a_later_period_are_not_what_was_assigned_so_far(n, known):
    """Five outcomes of 2024: of the cohort of 2024 all there are, of that of 2023 those after its first year."""
    reports = [("2024p", (INV, "a/P/2024", "exact", 5))]
    blueprint, _ = density(panel_of([*referrals({"a/2022": 0} | n), *reports]))
    counts, young = counts_so_far(blueprint)
    assert counts[1][young[1]].tolist() == known


@pytest.mark.parametrize(
    ("n", "reports"),
    [
        ({"a/2024": 6}, [("2024", (INV, "a/P/2024", "exact", 1)), closed("2024", "a/P/2024", 3)]),
        ({"a/2023": 4}, [closed("2023", "a/P/2023", 1), closed("2024", "a/P/2023", 2)]),
        (
            {"a/2023": 2, "b/2023": 3},
            [("2024", (INV, "all/P/2023", "exact", 1)), closed("2023", "all/P/2023", 2)],
        ),
    ],
)
def test_closed_units_are_not_pending(n, reports):
    panel = panel_of([*referrals(n), *reports])
    blueprint, _ = with_closings(panel)
    p = np.array([RATES[OFFENSES[o]] for o in blueprint.layout.coordinates[0]]).T
    eta = np.repeat(np.log(p / (1 - p))[None], DRAWS, axis=0)
    z = {one.name: np.full((DRAWS, *one.shape), Z) for one in blueprint.unknowns}
    draws = FieldDraws(np.zeros((DRAWS, 2)), {}, {}, np.ones((DRAWS, 2)), unknown=z)
    counts = complete(np.random.default_rng(3), blueprint, eta, draws)
    everything = tables(panel, n)
    weight = np.where(everything.stated, everything.probability, 0.0)
    mean = weight @ everything.investigated / weight.sum()
    sd = np.sqrt(weight @ everything.investigated**2 / weight.sum() - mean**2)
    names = [panel.axes.cell_names(int(cell)) for cell in blueprint.layout.cells]
    at = [names.index((node.split("/")[0], "P", node.split("/")[1])) for node in n]
    drawn = counts[:, 1, at]
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=4.5 * sd.max() / np.sqrt(DRAWS))
    np.testing.assert_allclose(drawn.std(axis=0), sd, atol=0.05)
    gone = max(s.count for s in panel.statements if s.closed)
    assert drawn.sum(axis=1).max() <= sum(n.values()) - gone
    if len(n) == 1:
        limits = Bounds(panel, blueprint.analysis).cell_bounds[1, blueprint.layout.cells[at[0]]]
        assert limits[1] == sum(n.values()) - gone
