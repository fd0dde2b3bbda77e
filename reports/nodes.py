"""Nodes that a model adds to the trees: computed with, never shown."""

from __future__ import annotations

from ..data.names import MADE


def made(name: str) -> bool:
    """Is a node one the model adds: what a place holds beside its parts, or a total not split by offense?"""
    return name.endswith(MADE)
