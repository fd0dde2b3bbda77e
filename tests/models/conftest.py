"""A small plan with every default effect, two steps, a tree of jurisdictions and cells nobody speaks of."""

from __future__ import annotations

import numpy as np
import pytest
from pytensor.compile.mode import Mode, get_mode

from attrition.models.blueprint import Blueprint
from attrition.models.compile import CompiledModel, compile_model

from ..panels import Fact, bind, make_panel

PLACES = {"US": "all", "NE": "US", "NY": "US", "CA": "US", "UK": "all", "Wales": "UK", "Kent": "UK"}


@pytest.fixture(scope="session")
def small() -> Blueprint:
    rng = np.random.default_rng(5)
    facts: list[Fact] = []
    for o in "ab":
        for j in ("NE", "NY", "CA", "Wales", "Kent"):
            for t in ("2021", "2022", "2023"):
                if (o, j, t) == ("b", "Kent", "2022"):
                    continue
                n = int(rng.poisson(60)) + 1
                y = int(rng.binomial(n, 0.3))
                node = f"{o}/{j}/{t}"
                facts += [("referral", node, "exact", n), ("investigation", node, "exact", y)]
                facts.append(("arrest", node, "exact", int(rng.binomial(y, 0.4))))
    return bind(make_panel(facts, "ab", PLACES, ("2021", "2022", "2023")))


@pytest.fixture(scope="session")
def small_model(small: Blueprint) -> CompiledModel:
    return compile_model(small)


@pytest.fixture(scope="session")
def interpreted() -> Mode:
    """PyTensor without compilation."""
    return Mode("py", get_mode("FAST_COMPILE").provided_optimizer)
