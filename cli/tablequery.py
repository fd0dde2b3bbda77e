"""The SELECT that makes the standard columns of a table that cannot be read as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..data.names import ROOT
from .guess import Guess
from .periods import Periods

# What ``GROUPED`` of the tokens says, in the words of DuckDB's regular expressions.
SEPARATED = r"[1-9][0-9]{0,2}((,[0-9]{3})+|(\x27[0-9]{3})+|([ \x{a0}\x{202f}][0-9]{3})+)"


def table_query(guess: Guess, file: str, separator: str) -> str:
    """One SELECT; where months are added up it is made of two."""
    return _added_up(guess, file, separator) if guess.add_up else _selected(guess, file, separator)


def _selected(guess: Guess, file: str, separator: str) -> str:
    columns = [f"{_name(column)} AS {key}" for key, column in guess.roles.keys.items() if key != "period"]
    columns.append(f"{_period(guess)} AS period")
    columns += [f"{_number(guess, stage)} AS {_name(stage)}" for stage in guess.roles.stages]
    return "\n".join([_select(columns), f"FROM {_source(file, separator)} AS t", *_periods(guess)])


def _added_up(guess: Guess, file: str, separator: str) -> str:
    """Months as whole quarters, cell by cell; a row of another period stays a row of its own."""
    roles = guess.roles
    keys = [key for key in roles.keys if key not in ("period", "note")]
    inner = [f"{_mapped(guess, key)} AS {key}" for key in keys]
    inner += [f"{_period(guess)} AS _quarter", "p.month AS _month"]
    inner.append("CASE WHEN p.month IS NULL THEN row_number() OVER () END AS _alone")
    inner += [f"nullif({_number(guess, stage)}, '') AS {_name(stage)}" for stage in roles.stages]
    # A month that is there twice is no part of a sum: the period says so, and is refused.
    twice = "CASE WHEN count(DISTINCT _month) < count(_month) THEN ' (a month has two rows)' ELSE '' END"
    outer = [*keys, f"_quarter || {twice} AS period"]
    for stage in map(_name, roles.stages):
        # A sum is known only where every month of it is.
        known = f"count({stage}) = count(*) AND count(DISTINCT _month) IN (0, 3)"
        outer.append(f"CASE WHEN {known} THEN sum(CAST({stage} AS BIGINT)) END AS {stage}")
    if "note" in roles.keys:
        inner.append(f"nullif({_cell(roles.keys['note'])}, '') AS note")
        outer.append("string_agg(DISTINCT note, '; ' ORDER BY note) AS note")
    lines = [
        _select(inner),
        # The same row twice says nothing twice.
        f"FROM (SELECT DISTINCT * FROM {_source(file, separator)}) AS t",
        *_periods(guess),
        *(_names(guess, key) for key in keys if guess.values.get(key)),
    ]
    rows = "\n".join(lines).replace("\n", "\n  ")
    return f"{_select(outer)}\nFROM (\n  {rows}\n)\nGROUP BY {', '.join((*keys, '_quarter', '_alone'))}"


def _select(columns: list[str]) -> str:
    return "SELECT\n  " + ",\n  ".join(columns)


def _source(file: str, separator: str) -> str:
    return f"read_csv({_quoted(file)}, all_varchar = true, header = true, delim = {_quoted(separator)})"


def _cell(column: str) -> str:
    return f"trim(t.{_name(column)})"


def _number(guess: Guess, stage: str) -> str:
    column = guess.roles.stages[stage]
    cell = _cell(column)
    if column not in guess.grouped:
        return cell
    # Any other text stays as it is, to be read or refused: "12,5" is not 125.
    bare = f"regexp_replace({cell}, '[^0-9]', '', 'g')"
    return f"CASE WHEN regexp_full_match({cell}, '{SEPARATED}') THEN {bare} ELSE {cell} END"


def _mapped(guess: Guess, key: str) -> str:
    cell = _cell(guess.roles.keys[key])
    return f"coalesce({key}_.name, {cell})" if guess.values.get(key) else cell


def _names(guess: Guess, key: str) -> str:
    table = _values([(_quoted(text), _quoted(name)) for text, name in guess.values[key].items()])
    return f"LEFT JOIN {table} AS {key}_(text, name) ON {key}_.text = t.{_name(guess.roles.keys[key])}"


def _period_text(guess: Guess) -> str:
    text = _cell(guess.roles.keys["period"])
    if guess.roles.within is None:
        return text
    return f"{text} || {_quoted(guess.roles.joiner)} || {_cell(guess.roles.within)}"


def _period(guess: Guess) -> str:
    if "period" not in guess.roles.keys:
        return f"'{ROOT}'"
    return f"coalesce(p.label, {_period_text(guess)})"


def _periods(guess: Guess) -> list[str]:
    """The join that gives ``p.label`` and ``p.month``."""
    if "period" not in guess.roles.keys:
        return []
    periods = guess.periods or Periods({})
    rows = [
        (_quoted(text), _quoted(label), _month(periods.months, text))
        for text, label in sorted(periods.labels.items())
    ]
    table = _values(rows or [("''", "''", "NULL")])
    return [f"LEFT JOIN {table} AS p(text, label, month) ON p.text = {_period_text(guess)}"]


def _month(months: Mapping[str, str], text: str) -> str:
    return _quoted(months[text]) if text in months else "NULL"


def _values(rows: Sequence[tuple[str, ...]]) -> str:
    lines = ",\n    ".join(f"({', '.join(row)})" for row in rows)
    return f"(VALUES\n    {lines}\n  )"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
