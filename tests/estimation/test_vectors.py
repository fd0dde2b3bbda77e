"""Exponentials and logarithms of vectors against those of the library."""

import numba
import numpy as np

from attrition.estimation.engines.vectors import exp, log1p


@numba.njit
def both(x, out):
    for i in range(len(x)):
        out[0, i], out[1, i] = exp(x[i]), log1p(abs(x[i]) / 708.0)


def test_they_are_those_of_the_library():
    x = np.concatenate([np.linspace(-708, 708, 200_001), [0.0, -1e-300, 1e-17, -1e-9, 708.0, -708.0]])
    found = np.empty((2, len(x)))
    both(x, found)
    np.testing.assert_allclose(found[0], np.exp(x), rtol=6e-16)
    np.testing.assert_allclose(found[1], np.log1p(np.abs(x) / 708.0), rtol=6e-16)


def test_beyond_what_there_is_room_for():
    found = np.empty((2, 2))
    both(np.array([-1e4, np.inf]), found)
    np.testing.assert_allclose(found[0, 0], np.exp(-708.0), rtol=6e-16)
    assert np.isfinite(found[0, 1])
