"""What the ranks of many worlds say: a verdict a quantity, and one of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .uniformity import LEVELS, bands, chi_square, coverage, holm, inside

LEVEL = 0.01  # chance that a right program fails some quantity of a plan


@dataclass(frozen=True)
class Verdict:
    """What the ranks of one quantity say.

    Parameters
    ----------
    quantity : str
    worlds : int
    bands, chi_square, coverage : float
        Probabilities, were the ranks uniform, of a distribution function, of bin counts and of a coverage of 90 %
        intervals as far off as these.
    cover50, cover90 : float
        Share of central intervals that hold the truth.
    mean : float
        Mean rank as a share: below .5 where the draws lie above the truth.
    adjusted : float
        The smallest probability of the three, adjusted by Holm for all tests of all quantities.
    failed : bool
        ``adjusted`` is below ``LEVEL``.
    """

    quantity: str
    worlds: int
    bands: float
    chi_square: float
    coverage: float
    cover50: float
    cover90: float
    mean: float
    adjusted: float
    failed: bool

    def record(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def verdicts(worlds: Sequence[Mapping[str, int]]) -> list[Verdict]:
    """Judge the ranks of every quantity.

    Parameters
    ----------
    worlds : sequence of mapping
        Ranks by quantity, one mapping a world. A quantity that some worlds do not have is judged on the others.
    """
    names = list(dict.fromkeys(name for ranks in worlds for name in ranks))
    held = {name: np.array([ranks[name] for ranks in worlds if name in ranks]) for name in names}
    tests = {name: (bands(r), chi_square(r), coverage(r, 0.9)) for name, r in held.items()}
    adjusted = np.reshape(holm([p for name in names for p in tests[name]]), (len(names), 3)).min(axis=1)
    return [
        Verdict(
            name,
            len(held[name]),
            *tests[name],
            float(inside(held[name], 0.5).mean()),
            float(inside(held[name], 0.9).mean()),
            float((held[name].mean() + 0.5) / LEVELS),
            float(least),
            bool(least < LEVEL),
        )
        for name, least in zip(names, adjusted, strict=True)
    ]
