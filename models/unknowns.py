"""What a kind does not know, and what it adds to the rates themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Unknown:
    """Standard normal coordinates a kind needs beside the rates; the kind turns them into what it does not know.

    Parameters
    ----------
    name : str
    shape : tuple of int
    """

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Addition:
    """A term that a kind adds to the rates of some step-cells: a standard normal coordinate a step, and its scale.

    Parameters
    ----------
    name : str
    scale : (S, cells) float
        Its scale in each, on the step's link scale; 0 where it does not stand.
    """

    name: str
    scale: Floats
