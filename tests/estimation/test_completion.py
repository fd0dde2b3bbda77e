"""Complete counts: every hard statement holds in every draw, and given the rates they follow their law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, chi2, nbinom

from attrition.estimation.completion import complete, completed
from attrition.models.field import FieldDraws

from ..panels import bind, complete_tables, fits, make_panel, stated

OFFENSES = {"ab": "all", "a": "ab", "b": "ab", "c": "all"}
FOUR = ("referral", "investigation", "arrest", "conviction")
PERSONS = {"referral": "report", "investigation": "report", "arrest": "person", "conviction": "person"}


def drawn(panel, rates, size, phi=1.0, seed=1):
    """Complete counts (R, S + 1, cells) at the same rates (S,) in every cell and draw."""
    blueprint = bind(panel, ["intercept"])
    ratio = np.array(blueprint.ratio_steps)
    level = np.where(ratio, np.log(rates), np.log(rates) - np.log1p(-np.minimum(rates, 1 - 1e-9)))
    eta = np.broadcast_to(level[None, :, None], (size, len(level), blueprint.layout.size)).copy()
    draws = FieldDraws(eta[..., 0], {}, {}, np.broadcast_to(np.where(ratio, phi, 1.0), (size, len(level))))
    return complete(np.random.default_rng(seed), blueprint, eta, draws), blueprint


def assert_holds(panel, blueprint, counts):
    """No draw contradicts a statement; where no step is a ratio, no stage exceeds the one before."""
    for statement in panel.statements:
        columns = blueprint.layout.positions[panel.cells(statement)]
        totals = counts[:, panel.funnel.index(statement.stage)][:, columns].sum(axis=1)
        assert fits(totals, statement).all(), statement.sentence()
    assert (counts == np.floor(counts)).all()
    assert (counts >= 0).all()
    for step in np.flatnonzero(~np.array(blueprint.ratio_steps)):
        assert (np.diff(counts, axis=1)[:, step] <= 0).all()


def referrals(place, *n):
    return [("referral", f"{o}/{place}", "exact", k) for o, k in zip("abc", n, strict=False)]


MIXED = [
    *referrals("exact", 30, 20, 9), ("investigation", "a/exact", "exact", 12), ("arrest", "a/exact", "exact", 5),
    *referrals("totals", 40, 25, 7), ("investigation", "all/totals", "exact", 33),
    ("arrest", "all/totals", "exact", 14),
    *referrals("suppressed", 9, 30, 12), ("investigation", "a/suppressed", "suppressed", 1, 4),
    ("arrest", "b/suppressed", "rounded", 5), ("investigation", "c/suppressed", "at_least", 8),
    *referrals("later", 50, 20, 10), ("conviction", "a/later", "exact", 6), ("investigation", "ab/later", "exact", 30),
    *referrals("residual", 20, 30, 8), ("investigation", "all/residual", "exact", 25),
    ("investigation", "c/residual", "exact", 3), ("arrest", "ab/residual", "range", 4, 11),
    *referrals("silent", 15, 8, 22),
]  # fmt: skip
PLACES = ("exact", "totals", "suppressed", "later", "residual", "silent")


def test_every_draw_reproduces_every_hard_statement():
    panel = make_panel(MIXED, OFFENSES, PLACES, stages=FOUR)
    rng = np.random.default_rng(9)
    for rates in (np.array([0.4, 0.5, 0.6]), np.array([0.02, 0.9, 0.1]), np.array([0.97, 0.03, 0.5])):
        counts, blueprint = drawn(panel, rates, 60, seed=int(rng.integers(1000)))
        assert np.isfinite(counts).all()
        assert_holds(panel, blueprint, counts)
    assert np.ptp(counts, axis=0)[1:].any(axis=1).all()


RATIO = [
    *referrals("exact", 30, 20), ("investigation", "a/exact", "exact", 12), ("arrest", "a/exact", "exact", 19),
    ("conviction", "a/exact", "exact", 4),
    *referrals("totals", 40, 25), ("arrest", "ab/totals", "exact", 61),
    *referrals("bounded", 9, 30), ("investigation", "a/bounded", "exact", 4), ("arrest", "a/bounded", "range", 2, 6),
    ("investigation", "b/bounded", "suppressed", 1, 4), ("arrest", "b/exact", "at_least", 7),
    *referrals("later", 50, 20), ("arrest", "a/later", "exact", 31), ("conviction", "b/later", "exact", 3),
    *referrals("both", 60, 40), ("investigation", "ab/both", "exact", 30), ("arrest", "ab/both", "range", 40, 50),
    *referrals("onward", 12), ("arrest", "a/onward", "range", 8, 10), ("conviction", "a/onward", "at_least", 3),
]  # fmt: skip


def test_ratio_steps_too():
    places = ("exact", "totals", "bounded", "later", "both", "onward")
    panel = make_panel(RATIO, OFFENSES, places, stages=FOUR, units=PERSONS)
    for rates in (np.array([0.4, 1.8, 0.3]), np.array([0.1, 0.2, 0.8])):
        counts, blueprint = drawn(panel, rates, 60, phi=2.0)
        assert np.isfinite(counts).all()
        assert_holds(panel, blueprint, counts)
        assert all(completed(blueprint, group) for group in blueprint.analysis.groups)


def chi_square(tables, probability, sample):
    """The p-value of a sample of complete counts against their law; rare tables are pooled."""
    keys = {table.tobytes(): i for i, table in enumerate(np.ascontiguousarray(tables))}
    found = np.bincount([keys[one.tobytes()] for one in np.ascontiguousarray(sample)], minlength=len(tables))
    expected = probability * len(sample)
    order = np.argsort(-expected)
    many = order[expected[order] >= 8]
    rest = np.setdiff1d(order, many)
    o = np.append(found[many], found[rest].sum())
    e = np.append(expected[many], expected[rest].sum())
    o, e = o[e > 0], e[e > 0]
    assert len(e) > 3
    return chi2.sf(((o - e) ** 2 / e).sum(), len(e) - 1)


LAWS = {
    "totals at two stages": [("investigation", "all", "exact", 5), ("arrest", "all", "exact", 2)],
    "a range of a total": [("investigation", "all", "range", 2, 4)],
    "skipped, then known": [("arrest", "a", "exact", 2), ("arrest", "b", "exact", 1), ("arrest", "c", "exact", 0)],
    "suppressed before a known stage": [
        ("investigation", "a", "suppressed", 1, 3), ("arrest", "a", "exact", 1), ("arrest", "ab", "exact", 2)],
    "total less a known cell": [("investigation", "all", "exact", 5), ("investigation", "c", "exact", 1)],
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_draws_follow_their_law(name):
    """Given the rates the draws are those of all complete counts that agree with the statements."""
    n, rates = (4, 3, 2), np.array([0.55, 0.4])
    panel = make_panel([*referrals("all", *n), *LAWS[name]], OFFENSES)
    counts, _ = drawn(panel, rates, 6000, seed=11)
    tables, probability = complete_tables(n, np.repeat(rates[:, None], 3, axis=1))
    agree = stated(panel, (0, 1, 2), tables, panel.statements)
    law = probability[agree] / probability[agree].sum()
    # Draws follow one another in a chain; taking every third leaves them nearly independent.
    assert chi_square(tables[agree], law, counts[::3]) > 1e-3


def test_a_count_before_a_known_ratio_outcome_follows_bayes():
    """Investigations given referrals and the arrests of a ratio step: binomial times negative binomial, on a grid."""
    n, after, p, rate, phi = 12, 9, 0.5, 1.4, 2.0
    panel = make_panel([("referral", "a", "exact", n), ("arrest", "a", "exact", after)], "a", units=PERSONS,
                       stages=FOUR[:3])  # fmt: skip
    counts, _ = drawn(panel, np.array([p, rate]), 8000, phi=phi)
    at = np.arange(1, n + 1)
    size = at * rate / (phi - 1)
    law = np.exp(nbinom.logpmf(after, size, 1 / phi)) * np.array(
        [probability for (_, y), probability in zip(*_chain(n, p), strict=True) if y > 0]
    )
    law /= law.sum()
    found = np.bincount(counts[:, 1, 0].astype(int), minlength=n + 1)[1:]
    keep = law * 8000 > 8
    statistic = ((found - law * 8000) ** 2 / (law * 8000))[keep].sum()
    assert chi2.sf(statistic, keep.sum() - 1) > 1e-3


def _chain(n, p):
    tables, probability = complete_tables([n], np.array([[p]]))
    return [(n, int(table[1, 0])) for table in tables], probability


CASES = {"referral": "report", "investigation": "case", "arrest": "case"}


@pytest.mark.parametrize("onward", [0.2, 0.01, 1e-3, 1e-4])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_count_between_a_ratio_and_a_rare_outcome(onward, after):
    """Of gamma-Poisson cases thinned to the arrests the others are negative binomial again."""
    n, rate, phi, size = 50, 0.5, 2.0, 4000
    panel = make_panel([("referral", "a", "exact", n), ("arrest", "a", "exact", after)], "a", units=CASES)
    counts, _ = drawn(panel, np.array([rate, onward]), size, phi=phi)
    scale = (phi - 1) / (1 + onward * (phi - 1))
    mean = (n * rate / (phi - 1) + after) * (1 - onward) * scale
    variance = mean * (1 + (1 - onward) * scale)
    assert counts[:, 1, 0].mean() == pytest.approx(after + mean, abs=4 * np.sqrt(variance / size))
    assert counts[:, 1, 0].var() == pytest.approx(variance, rel=0.12)


def test_a_ratio_and_then_a_probability_leave_the_variance_of_both():
    """Investigations given convictions two steps on: the arrests between them are thinned."""
    n, after, (p, rate, q), phi = 12, 6, (0.5, 2.0, 0.3), 6.0
    panel = make_panel([("referral", "a", "exact", n), ("conviction", "a", "exact", after)], "a", units=PERSONS,
                       stages=FOUR)  # fmt: skip
    counts, _ = drawn(panel, np.array([p, rate, q]), 8000, phi=phi)
    at, factor = np.arange(1, n + 1), q * phi + 1 - q
    law = binom.pmf(at, n, p) * nbinom.pmf(after, at * rate * q / (factor - 1), 1 / factor)
    law /= law.sum()
    found = np.bincount(counts[:, 1, 0].astype(int), minlength=n + 1)[1:]
    keep = law * 8000 > 8
    statistic = ((found - law * 8000) ** 2 / (law * 8000))[keep].sum()
    assert chi2.sf(statistic, keep.sum() - 1) > 1e-3
