"""Plans that tell no places apart: nothing is kept jurisdiction by jurisdiction."""

from __future__ import annotations

import numpy as np

from attrition.estimation.engines.laplace.fit import fit
from attrition.estimation.engines.laplace.worlds import make_worlds, obstacles
from attrition.estimation.sections import EstimateSpec

from ...panels import bind, make_panel

COUNTS = {"a": (4000, 1200), "b": (2500, 500)}


def _panel():
    facts = [
        (stage, f"{offense}/{place}/2021", "exact", count // 2)
        for offense, counts in COUNTS.items()
        for stage, count in zip(("referral", "investigation"), counts, strict=True)
        for place in "AB"
    ]
    return make_panel(facts, tuple(COUNTS), ("A", "B"), ("2021",), stages=("referral", "investigation"))


def test_rates_by_offense_are_those_counted() -> None:
    """Thousands of units an offense: the prior moves nothing, and a logit's variance is 1 / (n p (1 - p))."""
    blueprint = bind(_panel(), ["intercept", "offense"])
    (world,) = make_worlds(blueprint)
    assert world.grid.inner.shape[1] == 0
    found = fit(blueprint, EstimateSpec(engine="laplace"), lambda _: None)
    eta = found.field.intercept[:, :1] + found.field.values["offense"][:, 0]
    for place, (n, y) in enumerate(COUNTS.values()):
        expected, sd = np.log(y / (n - y)), np.sqrt(1 / y + 1 / (n - y))
        assert abs(eta[:, place].mean() - expected) < 0.15 * sd
        assert abs(np.log(eta[:, place].std() / sd)) < 0.1


def test_an_intercept_alone_is_sampled() -> None:
    assert obstacles(bind(_panel(), ["intercept"])) == ["it has an intercept alone"]
