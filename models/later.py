"""PyMC, loaded when a model is written down in it: what fits without a sampler starts a second sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    import pymc as pm
else:
    pm = lazy_loader.load("pymc")

__all__ = ["pm"]
