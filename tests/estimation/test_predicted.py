"""What is expected of the reports is the same whether it is worked out for all at once or for some after the other."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from attrition.estimation import predicted
from attrition.estimation.information import information
from attrition.estimation.leaving import left_out
from attrition.estimation.predicted import Part, Predicted
from attrition.estimation.predictive import reports
from attrition.estimation.silent import Shift
from attrition.models.blueprint import Blueprint
from attrition.models.field import FieldDraws
from attrition.models.narrowed import narrowed

from ..panels import Fact, bind, make_panel

R = 40


@pytest.fixture(scope="module")
def world() -> tuple[Blueprint, FieldDraws]:
    """Single counts of two stages, sums over offenses, and sums that cross."""
    facts: list[Fact] = []
    rng = np.random.default_rng(4)
    for place in "abcdef":
        for year in ("2023", "2024"):
            n = rng.integers(40, 90, 3)
            facts += [("referral", f"o{k}/{place}/{year}", "exact", int(n[k])) for k in range(3)]
            if place == "f":  # sums over offenses at two stages: nested
                facts.append(("investigation", f"/{place}/{year}", "exact", int(n.sum() * 0.4)))
                facts.append(("arrest", f"/{place}/{year}", "exact", int(n.sum() * 0.1)))
            elif place == "e" and year == "2024":
                facts.append(("investigation", f"g/{place}/{year}", "exact", int(n[:2].sum() * 0.4)))
                facts.append(("investigation", f"o1/{place}", "exact", 30))
            elif place != "e":
                facts += [
                    ("investigation", f"o{k}/{place}/{year}", "exact", int(n[k] * 0.4)) for k in range(3)
                ]
                facts.append(("arrest", f"o0/{place}/{year}", "exact", int(n[0] * 0.1)))
    offenses = {"g": "all", "o0": "g", "o1": "g", "o2": "all"}
    blueprint = bind(make_panel(facts, offenses, tuple("abcdef"), ("2023", "2024")))
    return blueprint, blueprint.prior_draws(np.random.default_rng(1), R)


def parts_of(
    world: tuple[Blueprint, FieldDraws], folder: Path, shift: float = 0.0
) -> tuple[Predicted, tuple]:
    blueprint, draws = world
    shown = reports(blueprint)
    return Predicted(1, blueprint, draws, Shift(shift), shown, folder), shown


@pytest.fixture
def both(
    world: tuple[Blueprint, FieldDraws], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Part, list[Part], list[Part], tuple]:
    """All at once; in parts; the parts read back."""
    whole, shown = parts_of(world, tmp_path)
    (one,) = whole
    monkeypatch.setattr(predicted, "_AT_ONCE", 5 * R)
    several, _ = parts_of(world, tmp_path)
    return one, list(several), list(several), shown


def test_parts_are_the_whole(both: tuple[Part, list[Part], list[Part], tuple]) -> None:
    one, first, second, shown = both
    assert len(first) > 5
    for parts, close in ((first, 1e-9), (second, 1e-6)):
        assert tuple(report for part in parts for report in part.shown) == shown
        for name in ("mean", "variance"):
            found = np.concatenate([getattr(part.moments, name) for part in parts], axis=1)
            np.testing.assert_allclose(found, getattr(one.moments, name), rtol=close, atol=10 * close)
        logs = np.concatenate([part.likelihood for part in parts], axis=1)
        np.testing.assert_allclose(logs, one.likelihood, rtol=close, atol=close)
        others = np.concatenate(
            [
                part.moments.given_others if part.moments.crossed else np.full_like(part.moments.mean, np.nan)
                for part in parts
            ],
            axis=1,
        )
        np.testing.assert_allclose(others, one.moments.given_others, rtol=close)
        for before, after in itertools.pairwise(parts):
            assert (before.reports.stop, before.groups.stop) == (after.reports.start, after.groups.start)
    assert np.isfinite(one.moments.given_others).any()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.moments.replicate, b.moments.replicate)
        away = [part.moments.mean - part.moments.mean.mean(axis=0) for part in (a, b)]
        np.testing.assert_allclose(away[1], away[0], rtol=1e-6, atol=1e-6)


def test_shares_of_information_are_the_same(
    world: tuple[Blueprint, FieldDraws], both: tuple[Part, list[Part], list[Part], tuple]
) -> None:
    one, first, second, shown = both
    psi = world[1].intercept[:, :1]
    tables = [
        information(shown, parts, ["q"], lambda _: psi, np.array([0.9])) for parts in ([one], first, second)
    ]
    for found in tables[1:]:
        assert found.drop(columns="share").equals(tables[0].drop(columns="share"))
        np.testing.assert_allclose(found["share"], tables[0]["share"], atol=1e-6)


def test_reports_are_left_out_with_their_own_part(both: tuple[Part, list[Part], list[Part], tuple]) -> None:
    one, first, _, shown = both
    whole, several = left_out(shown, [one]), left_out(shown, first)
    assert several.reports == whole.reports
    np.testing.assert_array_equal(several.reliable, whole.reliable)
    # Replicates are others, their law is the same.
    assert np.abs(several.below - whole.below).max() < 0.5


def test_a_shift_of_silent_places_is_worked_out_at_once(
    world: tuple[Blueprint, FieldDraws], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicted, "_AT_ONCE", 5 * R)
    assert len(list(parts_of(world, tmp_path, 1.0)[0])) == 1


def test_a_narrowed_blueprint_has_the_predictors_of_the_whole(world: tuple[Blueprint, FieldDraws]) -> None:
    blueprint, draws = world
    for batch in blueprint.batches:
        few = batch.take(np.arange(len(batch.groups))[::2])
        some, own = narrowed(blueprint, draws, [few])
        (moved,) = some.batches
        assert some.layout.size < blueprint.layout.size
        assert own.values["cell"].shape[2] == some.layout.units < blueprint.layout.units
        np.testing.assert_allclose(
            some.gathered(moved, some.predictor(own), own.unknown),
            blueprint.gathered(few, blueprint.predictor(draws), draws.unknown),
        )
