"""What the files of a folder define: checks, kinds of claims, found by scanning and registered nowhere."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any


def scan(folder: ModuleType, contract: type) -> tuple[Any, ...]:
    """One instance of every class defined in a folder's modules that keeps a contract, by order and name."""
    found: list[Any] = []
    for info in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        members: list[tuple[str, Any]] = inspect.getmembers(module, inspect.isclass)
        found += [
            thing()
            for _, thing in members
            if thing.__module__ == module.__name__ and thing is not contract and contract in thing.__mro__
        ]
    return tuple(sorted(found, key=lambda thing: (thing.order, thing.name)))
