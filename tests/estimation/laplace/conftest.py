"""A small world of exact counts, some sparse, for the nested Laplace engine."""

import numpy as np
import pytest

from attrition.estimation.engines.laplace.worlds import make_worlds

from ...panels import bind, make_panel

SHAPE = (2, 5, 3)


def facts(seed: int = 3) -> list[tuple]:
    """Referrals and investigations of every cell but one, which has no investigations recorded."""
    rng = np.random.default_rng(seed)
    out = []
    for o in range(SHAPE[0]):
        for j in range(SHAPE[1]):
            for t in range(SHAPE[2]):
                n = int(rng.poisson(12)) + 1
                y = int(rng.binomial(n, 1 / (1 + np.exp(1.2 - 0.6 * o - 0.3 * j + 0.2 * t))))
                node = f"o{o}/j{j}/{2020 + t}"
                out.append(("referral", node, "exact", n))
                if (o, j, t) != (1, 2, 2):
                    out.append(("investigation", node, "exact", y))
    return out


@pytest.fixture(scope="session")
def blueprint():
    """One step, every default effect."""
    names = [[f"{letter}{k}" for k in range(size)] for letter, size in zip("oj", SHAPE[:2], strict=True)]
    years = [str(2020 + t) for t in range(SHAPE[2])]
    panel = make_panel(facts(), *names, years, stages=("referral", "investigation"))
    return bind(panel)


@pytest.fixture(scope="session")
def world(blueprint):
    """The same as the engine sees it."""
    return make_worlds(blueprint)[0]
