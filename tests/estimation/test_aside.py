"""Draws put aside are read as the array that they are."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from attrition.estimation.aside import Aside
from attrition.estimation.thinning import cells_aside

from ..panels import bind, make_panel

VALUES = np.arange(30, dtype=np.float32).reshape(6, 5)  # six rows of five draws


@pytest.fixture
def draws(tmp_path: Path) -> Aside:
    found = Aside(5, tmp_path)
    found.add(VALUES[:4])
    found.add(VALUES[:0])
    found.add(VALUES[4:].astype(float))
    return found


@pytest.mark.parametrize(
    "key", [np.s_[:, 2], np.s_[:, 1:4], np.s_[:, [5, 0]], np.s_[[0, 3], 2:5], np.s_[1, :], np.s_[:, []]]
)
def test_reads_as_an_array(draws: Aside, key: tuple[object, object]) -> None:
    if isinstance(key[1], list):
        key = (key[0], np.array(key[1], dtype=np.int64))
    np.testing.assert_array_equal(draws[key], VALUES.T[key])
    assert draws.shape == (5, 6)
    assert len(draws) == 5


def test_a_view_is_of_the_rows_it_was_asked_for_and_outlives_what_it_is_of(draws: Aside) -> None:
    view = draws.some(np.array([4, 1])).some(np.array([1]))
    del draws
    gc.collect()
    assert view.shape == (5, 1)
    np.testing.assert_array_equal(view[:, :], VALUES[[1]].T)


def test_one_number_stands_for_all_draws(tmp_path: Path) -> None:
    found = Aside(3, tmp_path)
    found.add(np.array([[7.0]]))
    np.testing.assert_array_equal(found[:, :], np.full((3, 1), 7.0))


def test_without_rows_nothing_is_read() -> None:
    assert Aside(3)[:, :].shape == (3, 0)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no list of open files")
def test_the_file_is_closed_with_the_draws(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    found = Aside(2, tmp_path)
    found.add(np.ones((1, 2)))
    del found
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
    assert not list(tmp_path.iterdir())


def test_cell_effects_are_read_from_their_file_and_nothing_else_is(tmp_path: Path) -> None:
    blueprint = bind(make_panel([("referral", "a/x/2024", "exact", 9), ("investigation", "a/x/2024", "exact", 3)]
                                , "ab", "xy", ("2023", "2024")), ["intercept", "jurisdiction", "cell"])  # fmt: skip
    draws = blueprint.prior_draws(np.random.default_rng(1), 7)
    found = cells_aside(draws, blueprint, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["effect-cell.npy"]
    assert set(found.values) == set(draws.values)
    assert len(found.values) == len(draws.values)
    for name, values in draws.values.items():
        np.testing.assert_array_equal(found.values[name], values)
        assert (found.values[name] is values) == (name != "cell")
    np.testing.assert_array_equal(blueprint.predictor(found), blueprint.predictor(draws))
