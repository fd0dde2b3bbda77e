"""Published rates that follow their own law surprise nobody, and tell as much as their density says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attrition.estimation.checks.contract import Result, Seen
from attrition.estimation.checks.loo import Loo
from attrition.estimation.checks.pit import Pit
from attrition.estimation.checks.predictive import Predictive
from attrition.estimation.information import information
from attrition.estimation.predicted import Part
from attrition.estimation.predictive import log_likelihood, moments, reports
from attrition.models.field import FieldDraws
from attrition.models.kinds.share import Share
from attrition.models.simulate import simulate_panel

from ..panels import Fact, bind, make_panel

STAGES = ("referral", "investigation")
PLACES = tuple(f"P{j}" for j in range(40))
RATE, SHARE = 0.1, "share_of_referral"
KIND, SETTINGS = Share(), Share.Settings()


def drawn(logits: np.ndarray) -> FieldDraws:
    return FieldDraws(logits[:, None], {}, {}, np.ones((len(logits), 1)))


def verdicts(facts: list[Fact], spread: float, seed: int) -> dict[str, Result]:
    """Of rates published of one true rate, with ``spread`` times the sd of their law, under the right posterior."""
    rng = np.random.default_rng(seed)
    panel = make_panel(facts, ("a",), PLACES, ("2024",), stages=STAGES)
    law = {"share": {"weight": SETTINGS.weight / spread**2}}
    true = drawn(np.array([np.log(RATE / (1 - RATE))]))
    told = simulate_panel(rng, bind(panel, ["intercept"], kinds=law), true).panel.statements
    blueprint = bind(replace(panel, statements=told), ["intercept"])
    ends = np.array([KIND.range(s, SETTINGS) for s in told if s.share_of is not None])
    centre = np.log(ends / (1 - ends)).mean()
    sd = SETTINGS.sd / np.sqrt(SETTINGS.weight * len(ends))
    draws = drawn(rng.normal(centre, sd, 800))
    eta = blueprint.predictor(draws)
    found = moments(rng, blueprint, eta, draws)
    seen = Seen(
        blueprint,
        None,
        None,
        reports(blueprint),
        [Part.whole(reports(blueprint), found, log_likelihood(blueprint, eta, draws))],
        None,
    )  # type: ignore[arg-type]
    return {r.name: r for check in (Predictive(), Loo(), Pit()) for r in check.run(seen)}


# A range as wide as the sd of a single value.
_HALF = SETTINGS.sd * 1.2815515655446004
_ENDS = tuple(1 / (1 + np.exp(-(np.log(RATE / (1 - RATE)) + side * _HALF))) for side in (-1, 1))
KNOWN = [("referral", f"a/{p}", "exact", 10_000) for p in PLACES]
SINGLE = [("investigation", f"a/{p}", SHARE, RATE) for p in PLACES]
RANGES = [("investigation", f"a/{p}", SHARE, None, *_ENDS) for p in PLACES]


@pytest.mark.parametrize(
    "facts",
    [[*KNOWN, *SINGLE], [*KNOWN, *RANGES], [KNOWN[0], ("investigation", "a/P0", "exact", 1000), *SINGLE]],
    ids=["of known denominators", "ranges", "of unknown denominators"],
)
def test_rates_that_follow_their_law_surprise_nobody(facts):
    assert {name: r.verdict for name, r in verdicts(facts, 1.0, 5).items() if r.verdict == "failed"} == {}


def test_rates_that_scatter_more_do():
    found = verdicts([*KNOWN, *SINGLE], 3.0, 5)
    assert found["loo"].verdict == "failed"


def test_a_rate_tells_what_the_curvature_of_its_density_says():
    """Beside 10 of 100: n p (1 - p) = 9 against weight / sd² = 5.6."""
    facts = [
        ("referral", "a/P0", "exact", 100), ("investigation", "a/P0", "exact", 10),
        ("referral", "a/P1", "exact", 10_000), ("investigation", "a/P1", SHARE, RATE),
    ]  # fmt: skip
    blueprint = bind(make_panel(facts, ("a",), PLACES[:2], ("2024",), stages=STAGES), ["intercept"])
    worth = np.array([100 * RATE * (1 - RATE), SETTINGS.weight / SETTINGS.sd**2])
    rng = np.random.default_rng(0)
    logits = np.log(RATE / (1 - RATE)) + rng.normal(size=20_000) / np.sqrt(worth.sum())
    draws = drawn(logits)
    found = moments(rng, blueprint, blueprint.predictor(draws), draws)
    table = information(
        reports(blueprint),
        [Part.whole(reports(blueprint), found)],
        ["q"],
        lambda _: logits[:, None],
        np.array([0.9]),
    )
    share = table[table["by"] == "kind"].set_index("name")["share"]
    np.testing.assert_allclose(share[["exact", "share"]], 0.9 * worth / worth.sum(), atol=0.03)
