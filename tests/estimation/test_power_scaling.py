"""Power-scaling of prior and likelihood: a normal mean whose posterior is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, qmc

from attrition.estimation.checks.power_scaling import gradients


@pytest.mark.parametrize(
    ("prior_sd", "error", "observed", "moved"),
    [
        (10.0, 1.0, 1.0, (False, True)),  # the data decide
        (1.0, 1.0, 4.0, (True, True)),  # prior and data disagree
        (1.0, 50.0, 0.0, (True, False)),  # the data say nothing
    ],
)
def test_what_moves_a_normal_mean(prior_sd, error, observed, moved) -> None:
    variance = 1 / (1 / prior_sd**2 + 1 / error**2)
    z = norm.ppf(qmc.Sobol(1, seed=1).random(4096)[:, 0])
    mean = variance * observed / error**2 + np.sqrt(variance) * z
    densities = norm(0, prior_sd).logpdf(mean), norm(mean, error).logpdf(observed)
    found = [gradients(mean[None], density)[0] for density in densities]
    assert tuple(one > 0.05 for one in found) == moved


def test_a_component_that_is_flat_moves_nothing() -> None:
    assert gradients(np.linspace(0, 1, 50)[None], np.zeros(50)).tolist() == [0.0]
