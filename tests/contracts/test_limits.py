"""At its limit a kind is the exact one."""

from __future__ import annotations

import numpy as np
import pytest

from ..panels import bind, group_logp, make_panel

NESTED = {"group": "all", "a": "group", "b": "all"}
REFERRALS = [("referral", "a", "exact", 9), ("referral", "b", "exact", 6)]


def log_probability(facts, logits=(-0.4, 0.7)) -> float:
    """Log probability of facts about the later stages, with the same step rates in both cells."""
    blueprint = bind(make_panel([*REFERRALS, *facts], NESTED), ["intercept"])
    eta = np.repeat(np.array(logits)[:, None], blueprint.layout.size, axis=1)
    return sum(group_logp(blueprint, eta).values())


EXACT = [("investigation", "a", "exact", 4)]


@pytest.mark.parametrize(
    "facts",
    [
        [("investigation", "a", "range", 4, 4)],
        [("investigation", "a", "suppressed", 4, 4)],
        [("investigation", "a", "rounded", 4, 4, 4)],
        [("investigation", "a", "at_least", 4), ("investigation", "a", "at_most", 4)],
        [("investigation", "group", "exact", 4)],
        [("investigation", "all", "exact", 6), ("investigation", "b", "exact", 2)],
    ],
    ids=["range of one", "suppressed to one", "rounded to one", "two bounds that meet", "total over one cell",
         "total less the others"],
)  # fmt: skip
def test_limits_of_report_and_part_kinds(facts):
    others = [fact for fact in facts if fact[1] == "b"]
    assert log_probability(facts) == pytest.approx(log_probability([*EXACT, *others]), rel=1e-12)


def test_a_bound_that_allows_everything_says_nothing():
    assert log_probability([*EXACT, ("arrest", "a", "at_most", 4)]) == pytest.approx(log_probability(EXACT))


def test_a_skipped_step_that_nobody_fails_is_exact_at_the_other():
    skipped = log_probability([("arrest", "a", "exact", 4)], (40.0, -0.4))
    assert skipped == pytest.approx(log_probability(EXACT), rel=1e-12)


def test_a_range_is_not_exact():
    assert log_probability([("investigation", "a", "range", 4, 5)]) > log_probability(EXACT) + 0.1
