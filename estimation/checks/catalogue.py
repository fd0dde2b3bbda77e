"""Every check, found by scanning the folder."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import Any

from .. import checks as folder
from .contract import Check, Result, Seen


@cache
def checks() -> tuple[Check, ...]:
    """One instance of each check, in order."""
    found: list[Check] = []
    for info in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        members: list[tuple[str, Any]] = inspect.getmembers(module, inspect.isclass)
        found += [
            thing()
            for _, thing in members
            if thing.__module__ == module.__name__ and thing is not Check and Check in thing.__mro__
        ]
    return tuple(sorted(found, key=lambda check: (check.order, check.name)))


def run_checks(seen: Seen) -> list[Result]:
    """Every verdict, in order."""
    return [result for check in checks() for result in check.run(seen)]
