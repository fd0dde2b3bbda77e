"""Values that a plan may not have, in words: what pydantic finds, and what to write in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .errors import Problem

_WHOLE, _NUMBER, _LIST = "not a whole number", "not a number", "not a list"
# What is wrong, what is allowed (with what pydantic says of the limit), and what to do.
_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "int_type": (_WHOLE, "a whole number", "write it without quotes"),
    "int_parsing": (_WHOLE, "a whole number", "write it in digits, without quotes"),
    "int_from_float": (_WHOLE, "a whole number", "round it"),
    "float_type": (_NUMBER, "a number", "write it without quotes"),
    "float_parsing": (_NUMBER, "a number", "write it in digits, without quotes"),
    "finite_number": ("not a finite number", "a finite number", "write one"),
    "bool_type": ("neither true nor false", "true or false", "write one of them, without quotes"),
    "bool_parsing": ("neither true nor false", "true or false", "write one of them, without quotes"),
    "string_type": ("not a text", "a text", "put it in quotes"),
    "string_too_short": ("the text is empty", "a text", "write one"),
    "dict_type": ("not a table", "a table of keys", "write {name} = {{key = value}}"),
    "model_type": ("not a table", "a table of keys", "write [{name}], and its keys below"),
    "greater_than": ("too small", "above {gt:g}", ""),
    "greater_than_equal": ("too small", "{ge:g} or more", ""),
    "less_than": ("too large", "below {lt:g}", ""),
    "less_than_equal": ("too large", "{le:g} or less", ""),
    "literal_error": ("no such value", "{expected}", ""),
    "too_short": ("too few entries", "{min_length} or more", "add what is missing"),
}


def wrong_value(fault: Mapping[str, Any], where: str, key: str) -> Problem:
    """The line that says what is wrong with a value.

    Parameters
    ----------
    fault : mapping
        As pydantic lists it.
    where : str
        The plan's file, or the table.
    key : str
        Of the value; empty where the fault is of several sections.
    """
    place, value = f"{where}, {key}" if key else where, fault.get("input")
    found = repr(value)[:80] if key else ""
    name = key.rsplit(".", 1)[-1]
    if fault["type"] in ("tuple_type", "list_type"):
        if isinstance(value, dict):
            return Problem(
                "one table where there may be several", place, found, "a list of tables", f"write [[{key}]]"
            )
        one = f'write {name} = ["{value}"]' if isinstance(value, str) else f"write {name} = […]"
        return Problem(_LIST, place, found, "a list", one)
    if fault["type"] in _WORDS:
        limits = {"name": name, **fault.get("ctx", {})}
        what, allowed, do = (text.format(**limits) for text in _WORDS[fault["type"]])
        return Problem(what, place, found, allowed, do)
    return Problem(str(fault["msg"]).removeprefix("Value error, "), place, found)
