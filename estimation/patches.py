"""Patches: dotted keys and the values that replace, or are appended to, what a plan says."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Final

from ..data.errors import InputError, Problem

APPEND: Final = "+"
SET: Final = "--set"
_ARRAYS: Final = ("input", "effect", "exclude", "prefer", "scenario")


def plain(value: Any) -> Any:
    """A value of TOML as one of JSON: dates become their text."""
    return json.loads(json.dumps(value, default=str))


def merge_patches(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both patches as one: the second wins, but what both append to one array is appended in turn."""
    out = dict(first)
    for key, value in second.items():
        both = key in out and _split(key)[-1] == APPEND
        out[key] = [*_entries(out[key]), *_entries(value)] if both else value
    return out


def apply_patches(raw: dict[str, Any], patches: Mapping[str, Any], origin: str = SET) -> dict[str, Any]:
    """A copy of a plan's dictionary with dotted keys replaced.

    Parameters
    ----------
    raw : dict
        As read from TOML.
    patches : mapping
        A key leads through tables by name and through an array of tables by position from 0, or by ``kind``.
        A part in double quotes may hold dots. A last part ``+`` appends to an array: ``exclude.+`` with one
        table, or with a list of them.
    origin : str
        What messages call the place of the patches.

    Raises
    ------
    InputError
        With every key that leads nowhere.
    """
    out = copy.deepcopy(raw)
    problems: list[Problem] = []
    for key, value in patches.items():
        try:
            _apply(out, key, copy.deepcopy(value), f"{origin} {key}")
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return out


def _apply(out: dict[str, Any], key: str, value: Any, where: str) -> None:
    *path, last = _split(key)
    if path and path[0] in _ARRAYS and path[0] not in out and (last != APPEND or path[0] == "effect"):
        # An array of one effect would silently replace the default set.
        raise InputError(Problem(f"the plan writes no [[{path[0]}]]", where, do="write it in the plan first"))
    if last == APPEND and path:
        *path, name = path
        _append(_through(out, path, where), name, value, where)
    else:
        _through(out, path, where)[last] = value


def _through(out: dict[str, Any], path: list[str], where: str) -> dict[str, Any]:
    place: Any = out
    for part in path:
        place = _enter(place, part, where)
    if not isinstance(place, dict):
        raise InputError(Problem("does not lead to a table", where, do="name a key of a table"))
    return place


def _append(place: dict[str, Any], name: str, value: Any, where: str) -> None:
    found = place.setdefault(name, [])
    if not isinstance(found, list):
        raise InputError(Problem("does not lead to an array", where, do=f"set {name} itself"))
    found += _entries(value)


def _entries(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _split(key: str) -> list[str]:
    """Parts of a dotted key; a part in double quotes may hold dots."""
    parts, quoted, current = [], False, ""
    for letter in key:
        if letter == '"':
            quoted = not quoted
        elif letter == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [*parts, current]


def _enter(place: Any, part: str, where: str) -> Any:
    if isinstance(place, dict):
        return place.setdefault(part, {})
    if isinstance(place, list):
        for number, item in enumerate(place):
            if part == str(number) or (isinstance(item, dict) and item.get("kind") == part):
                return item
    raise InputError(Problem("no such place in the plan", where, part))
