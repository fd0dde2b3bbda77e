"""A commented plan for somebody's table, from a guess at what its columns mean."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from datetime import date

from ..data.names import ROOT
from ..data.table import Table
from .guess import Guess
from .tablequery import table_query

BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def plan_text(
    guess: Guess,
    table: Table,
    original: str,
    file: str,
    separator: str,
    today: date,
    sheet: str | None = None,
) -> str:
    """The plan as TOML.

    Parameters
    ----------
    guess : Guess
    table : Table
    original : str
        What the user called the table.
    file : str
        Its copy beside the plan.
    separator : str
        Of the copy, when it is CSV.
    today : date
        Stands in for the day at which the table was known.
    sheet : str or None
        Of the copy, when it is a workbook that has several.
    """
    stages = list(guess.roles.stages)
    units = guess.units()
    said = guess.said or ["nothing: the columns have their standard names"]
    lines = [
        f"# A plan for {original}: {len(table.rows)} rows, {len(table.columns)} columns.",
        "#",
        "# Guessed from the names and the contents of the columns:",
        *_bullets(said),
        "#",
        "# Could not be told from the table; please look at each:",
        *_bullets([*guess.unsure, *_always_unsure(units)]),
        "#",
        "# `attrition validate` shows every problem at once; `attrition estimate` fits the plan.",
        "format = 1",
        "",
        "[funnel]",
        f"stages = {json.dumps(stages, ensure_ascii=False)}",
        "# report, case, person, charge or other. Where it changes, the step is a ratio: outcomes per unit.",
        f"units = {_inline(units)}",
        "",
        "[[input]]",
        *_input(guess, file, separator, today, sheet),
        "",
        "# The front table: everything together. Name a place or a period to see that one instead.",
        "[answer]",
        f"jurisdiction = {_text(ROOT)}",
        f"period = {_text(ROOT)}",
        "",
        "# Without [[effect]] entries the default set is used; `attrition effects` lists them all.",
        "",
    ]
    return "\n".join(lines)


def _always_unsure(units: Mapping[str, str]) -> list[str]:
    found = [
        "origin: do the later counts hold only cases that began as the first stage's? Read as if they did "
        '(origin = "referred_only"; else "all_sources" or "unknown")',
        "clock: are later counts outcomes of these very referrals, or outcomes dated in the period? Read as "
        'the former (clock = "cohort"; else "period")',
    ]
    if len(set(units.values())) == 1:
        found.append(
            "units: does every stage count the same thing, so that a rate cannot exceed 1? Read as if so"
        )
    return found


def _input(guess: Guess, file: str, separator: str, today: date, sheet: str | None) -> list[str]:
    """The keys of ``[[input]]``."""
    keys = {**guess.roles.keys, **guess.roles.stages}
    # Months are added up cell by cell, so that there the query has to know the names.
    values = {} if guess.add_up else {key: mapping for key, mapping in guess.values.items() if mapping}
    if guess.needs_query:
        lines = [
            "# Why the table has to be selected from stands above; DuckDB runs this on the copy.",
            f"query = {_block(table_query(guess, file, separator))}",
        ]
    else:
        lines = [f"file = {_text(file)}"]
        if sheet is not None and file.lower().endswith(".xlsx"):
            lines.append(f"sheet = {_text(sheet)}")
        renamed = {standard: column for standard, column in keys.items() if standard != column}
        if renamed:
            lines += ["# Their names in the table.", f"columns = {_inline(renamed)}"]
        labels = guess.periods.labels if guess.periods else {}
        changed = {text: label for text, label in labels.items() if text != label}
        if changed:
            values["period"] = changed
    lines.append('form = "wide"')
    if guess.tokens:
        lines += ["# What a text in a number's field stands for.", f"tokens = {_inline(guess.tokens)}"]
    lines += ['origin = "referred_only"'] if "origin" not in keys else []
    lines += ['clock = "cohort"'] if "clock" not in keys else []
    if "as_of" not in keys:
        lines += [
            "# When the table said so: today, until you know better.",
            f"as_of = {_text(today.isoformat())}",
        ]
    if values:
        lines += ["", "# Text in the table to the name it gets.", "[input.values]"]
        lines += [f"{key} = {_inline(mapping)}" for key, mapping in values.items()]
    return lines


def _bullets(sentences: Iterable[str]) -> list[str]:
    out = []
    for sentence in sentences:
        out += textwrap.wrap(
            " ".join(sentence.split()),
            108,
            initial_indent="# - ",
            subsequent_indent="#   ",
            break_long_words=False,
        )
    return out


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if set(name) <= BARE and any(map(str.isalnum, name)) else _text(name)


def _inline(mapping: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_key(key)} = {_text(value)}" for key, value in mapping.items()) + "}"


def _block(query: str) -> str:
    return _text(query) if "'''" in query else f"'''\n{query}\n'''"
