"""Every check, found by scanning the folder."""

from __future__ import annotations

from functools import cache

from .. import checks as folder
from ..scan import scan
from .contract import Check, Result, Seen


@cache
def checks() -> tuple[Check, ...]:
    """One instance of each check, in order."""
    return scan(folder, Check)


def verdict_names() -> tuple[str, ...]:
    """Names of every verdict that a run may have, in order."""
    return tuple(name for check in checks() for name in check.verdicts or (check.name,))


def run_checks(seen: Seen) -> list[Result]:
    """Every verdict, in order."""
    return [result for check in checks() for result in check.run(seen)]
