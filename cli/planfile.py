"""Opening a plan: the one place where a path and ``--set`` become a Plan."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.errors import InputError, Problem

if TYPE_CHECKING:
    from ..estimation.plan import Plan


def plan_path(path: Path) -> Path:
    """The plan file meant by a path: itself, or the ``plan.toml`` of a folder.

    Raises
    ------
    InputError
        When there is no such file.
    """
    found = path / "plan.toml" if path.is_dir() else path
    if not found.is_file():
        raise InputError(Problem("no such plan", str(found), do="`attrition init table FILE DIR` writes one"))
    return found


def open_plan(path: Path, settings: Sequence[str] | None = None) -> Plan:
    """Read a plan with the changes asked for by ``--set``.

    Raises
    ------
    InputError
        With every problem of the plan.
    """
    from ..estimation import verbs

    return verbs.read_plan(plan_path(path), patches=patches(settings or ()) or None)


def patches(settings: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` texts as values by key; a value is TOML where it can be, else text.

    Raises
    ------
    InputError
        For a text without ``=`` or without a key.
    """
    found: dict[str, Any] = {}
    problems = []
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            problems.append(Problem("not a setting", "--set", repr(text), "KEY=VALUE, e.g. prior.spread=2.0"))
            continue
        try:
            found[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key.strip()] = value
    if problems:
        raise InputError(problems)
    return found
