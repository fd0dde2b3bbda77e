"""The catalogue: every kind and effect in the two folders, found by scanning them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from . import effects as effects_folder
from . import kinds as kinds_folder
from .contract import Kind, PartKind, ReportKind
from .terms import Effect


def _scan(folder: ModuleType, marks: tuple[str, ...]) -> tuple[Any, ...]:
    """One instance of every class defined in a folder's modules that has the marks of the contract."""
    found = []
    for info in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        found += [
            thing()
            for _, thing in inspect.getmembers(module, inspect.isclass)
            if thing.__module__ == module.__name__ and all(hasattr(thing, mark) for mark in marks)
        ]
    return tuple(sorted(found, key=lambda thing: (thing.order, thing.name)))


@cache
def effects() -> tuple[Effect, ...]:
    """Every effect, in the order of the linear predictor."""
    return _scan(effects_folder, ("name", "order", "Settings", "terms", "equation", "example"))


@cache
def kinds() -> tuple[Kind, ...]:
    """Every kind of partial observation, in the order in which they apply."""
    return _scan(kinds_folder, ("name", "order", "layer", "Settings", "claims", "example"))


def report_kinds() -> tuple[ReportKind, ...]:
    """The kinds that say what was seen of a total."""
    return _sorted_out(kinds())[0]


def part_kinds() -> tuple[PartKind, ...]:
    """The kinds that say what a total is a sum of."""
    return _sorted_out(kinds())[1]


@cache
def _sorted_out(found: tuple[Kind, ...]) -> tuple[tuple[ReportKind, ...], tuple[PartKind, ...]]:
    """Report kinds and part kinds; asked for every group, and slow to tell apart."""
    return (
        tuple(kind for kind in found if isinstance(kind, ReportKind)),
        tuple(kind for kind in found if isinstance(kind, PartKind)),
    )


def effect(name: str) -> Effect:
    """The effect of a name.

    Raises
    ------
    KeyError
        No file of the folder defines it.
    """
    return _named(effects())[name]


def kind(name: str) -> Kind:
    """The kind of a name.

    Raises
    ------
    KeyError
        No file of the folder defines it.
    """
    return _named(kinds())[name]


def _named(things: tuple[Any, ...]) -> Mapping[str, Any]:
    return {thing.name: thing for thing in things}
