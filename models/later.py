"""PyMC, loaded when a model is written down in it: what fits without a sampler starts a second sooner."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import lazy_loader

if TYPE_CHECKING:
    import pymc as pm
else:
    pm = lazy_loader.load("pymc")

__all__ = ["part", "pm"]


def part(name: str) -> Any:
    """A module of PyMC's that importing PyMC may leave out."""
    return import_module(f"pymc.{name}")
