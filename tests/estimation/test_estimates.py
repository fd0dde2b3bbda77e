"""A finite rate is of counted units: rows without units of their own have none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from attrition.estimation.completion import complete
from attrition.estimation.estimates import estimates
from attrition.models.rates import rates_of

from ..contracts.mixed import panel_of, split
from ..panels import bind, make_panel

COUNTS = [
    ("referral", "a/N", "exact", 50), ("investigation", "a/N", "exact", 20), ("arrest", "a/N", "exact", 5),
    ("investigation", "a/S", "exact", 57), ("arrest", "a/S", "exact", 12),
]  # fmt: skip


def table(panel, effects=("intercept",)) -> pd.DataFrame:
    """What would be published of a panel under draws of the prior."""
    blueprint, rng = bind(panel, list(effects)), np.random.default_rng(1)
    draws = blueprint.prior_draws(rng, 100)
    eta = blueprint.predictor(draws)
    counts = complete(rng, blueprint, eta, draws)
    rates = rates_of(eta, blueprint.ratio_steps)
    return estimates(blueprint, draws, rates, counts, rng, ("all", "all")).table


def nodes(found: pd.DataFrame, by: str, step: str, basis: str) -> set[str]:
    rows = found[
        (found["step"] == step) & (found["basis"] == basis) & found["quantity"].isin(["rate", "end_to_end"])
    ]
    return set(rows[by])


def test_cells_of_an_unsplit_total_have_no_finite_rate_but_the_total_has():
    panel = split(panel_of((("referral", "all", "exact", 20),), [(("investigation", "all", "exact", 7),)]))
    found = table(panel, ("intercept", "offense"))
    for step in ("referral-investigation", "referral-arrest"):
        assert nodes(found, "offense", step, "superpopulation") == {"all", "ab", "a", "b", "c"}
        assert nodes(found, "offense", step, "finite") == {"all"}


def test_counts_that_hold_other_cases_are_no_units():
    panel = make_panel(COUNTS, ("a",), ("N", "S"))
    mixed = [replace(s, origin="all_sources") if s.jurisdiction == "S" else s for s in panel.statements]
    found = table(replace(panel, statements=tuple(mixed)))
    assert nodes(found, "jurisdiction", "investigation-arrest", "superpopulation") == {"all", "N", "S"}
    assert nodes(found, "jurisdiction", "investigation-arrest", "finite") == {"N"}


def test_outcomes_whose_units_nobody_counted_are_in_no_finite_rate():
    """Referrals of S are unknown: 77 investigations of 50 referrals are no rate."""
    found = table(make_panel(COUNTS, ("a",), ("N", "S")))
    assert nodes(found, "jurisdiction", "referral-investigation", "superpopulation") == {"all", "N"}
    assert nodes(found, "jurisdiction", "referral-investigation", "finite") == {"N"}
    assert nodes(found, "jurisdiction", "referral-arrest", "finite") == {"N"}
    assert nodes(found, "jurisdiction", "investigation-arrest", "finite") == {"all", "N", "S"}
    finite = found[(found["basis"] == "finite") & found["median"].notna()]
    assert (finite["median"] >= finite["bound_low"] - 1e-9).all()
    assert (finite["median"] <= finite["bound_high"] + 1e-9).all()
