"""One jurisdiction's part of the field by importance weights: they find a law that lies beside its target."""

from dataclasses import replace

import numpy as np

from attrition.estimation.engines.laplace.blockwise import block_khats
from attrition.estimation.engines.laplace.point import approximate, cold

THETA = np.log([0.5, 0.7, 0.3, 0.4, 0.2, 0.35])


def test_a_law_beside_its_target_is_found(world):
    warm = cold(world)
    point = approximate(world, THETA, warm)
    still = np.zeros_like(point.shared), np.zeros_like(point.own)
    # Of one jurisdiction all effects are moved by four of their standard deviations.
    moved = np.zeros_like(point.own)
    moved[2] = 4 * np.sqrt((point.arrow.unroot[2] ** 2).sum(axis=0))
    good, bad = (
        block_khats(np.random.default_rng(1), world, point, shift, warm)
        for shift in (still, (still[0], moved))
    )
    assert good.max() < 0.6
    assert bad[2] > 0.8
    assert np.delete(bad, 2).max() < 0.6


def test_where_no_effect_tells_places_apart_there_is_nothing_to_judge(world):
    warm = cold(world)
    point = approximate(world, THETA, warm)
    still = np.zeros_like(point.shared), np.zeros_like(point.own)
    alike = replace(world, grid=replace(world.grid, inner=world.grid.inner[:, :0]))
    assert not block_khats(np.random.default_rng(1), alike, point, still, warm).size
