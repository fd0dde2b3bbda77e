"""What somebody's wide table probably means: columns, periods, spellings, tokens, units, rows to add up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ..data.names import ROOT
from ..data.table import Table
from ..data.tokens import GROUPED, NumberFault, proposed_meaning, whole_number
from .months import months_twice, parts_of_quarters, sums_not_known
from .periods import Periods, read_periods
from .roles import Roles, find_roles
from .spellings import one_spelling

_BLANKS: Final = {
    "na",
    "n/a",
    "n.a.",
    "#n/a",
    "nan",
    "nr",
    "null",
    "none",
    "missing",
    "-",
    "--",
    "–",
    "—",
    ".",
}


@dataclass
class Guess:
    """A reading of a table.

    Parameters
    ----------
    roles : Roles
    periods : Periods or None
    values : dict of dict
        By standard column, text in the table to the name it gets.
    tokens : dict of str to str
        Text in a number's field to its meaning.
    grouped : set of str
        Columns with thousands separators.
    add_up : bool
        The table holds months, all their counts are plain numbers, and they become quarters.
    exceeding : dict of str to int
        Stage to the first row in which it exceeds the stage before it.
    said, unsure : list of str
    """

    roles: Roles
    periods: Periods | None = None
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)
    add_up: bool = False
    exceeding: dict[str, int] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)

    @property
    def needs_query(self) -> bool:
        """The table cannot be read as it stands: it has to be selected from."""
        stands_apart = self.roles.within is not None or "period" not in self.roles.keys
        return self.add_up or bool(self.grouped) or stands_apart

    def units(self) -> dict[str, str]:
        """Unit class of each stage: one for all, but for stages that exceed the one before."""
        unit = "report"
        found = {}
        for stage in self.roles.stages:
            if stage in self.exceeding:
                unit = "case" if stage == "investigation" else "person" if unit != "person" else "charge"
            found[stage] = unit
        return found


def guess_table(table: Table) -> Guess:
    """The most probable reading of a wide table, with what was guessed and what could not be."""
    roles = find_roles(table)
    guess = Guess(roles, said=list(roles.said), unsure=list(roles.unsure))
    at = {name: i for i, name in enumerate(table.columns)}
    _read_periods(table, at, guess)
    for key in ("offense", "jurisdiction"):
        if key in roles.keys:
            _read_names(key, [row[at[roles.keys[key]]] for row in table.rows], guess)
        else:
            guess.unsure.append(f"no column of {key}s was found: everything is read as one, {ROOT!r}")
    _read_counts(table, at, guess)
    _add_up_months(table, at, guess)
    labels = guess.periods.labels if guess.periods else {}
    changed = [(text, label) for text, label in labels.items() if text != label]
    if changed:
        guess.said.append(f"periods are rewritten, e.g. {changed[0][0]!r} as {changed[0][1]}")
    return guess


def period_texts(table: Table, roles: Roles) -> list[str]:
    """The text of each row's period, joined from two columns where a year and its part stand apart."""
    at = {name: i for i, name in enumerate(table.columns)}
    if "period" not in roles.keys:
        return [ROOT] * len(table.rows)
    texts = [row[at[roles.keys["period"]]].strip() for row in table.rows]
    if roles.within is None:
        return texts
    parts = [row[at[roles.within]].strip() for row in table.rows]
    return [f"{text}{roles.joiner}{part}" for text, part in zip(texts, parts, strict=True)]


def _read_periods(table: Table, at: dict[str, int], guess: Guess) -> None:
    if "period" not in guess.roles.keys:
        guess.unsure.append(
            "no column of periods was found: every row is read as 'all', one undivided period"
        )
        return
    texts = [text for text in period_texts(table, guess.roles) if text]
    alone = {text: read_periods([text]) is not None for text in dict.fromkeys(texts)}
    guess.periods = read_periods(text for text, read in alone.items() if read)
    odd = [text for text, read in alone.items() if not read or guess.periods is None]
    if odd:
        guess.unsure.append(
            f"periods that could not be read: {', '.join(map(repr, odd[:5]))}; validate refuses them"
        )
    if guess.periods is None:
        return
    guess.said += list(guess.periods.remarks)


def _read_names(key: str, raw: list[str], guess: Guess) -> None:
    """Spellings that are one name, and names that mean the total."""
    found = one_spelling(raw)
    roots = sorted(text for text, name in found.items() if name == ROOT)
    if roots:
        guess.said.append(f"{key} {', '.join(map(repr, roots))} is read as the total over all")
    others = sorted(text for text, name in found.items() if name != ROOT)
    if others:
        guess.said.append(f"{len(others)} spelling(s) of {key} are mapped to one, e.g. {others[0]!r}")
    if any(not text.strip() for text in raw):
        guess.unsure.append(f"{key} is empty in some rows; validate names them")
    if found:
        guess.values[key] = found


def _read_counts(table: Table, at: dict[str, int], guess: Guess) -> None:
    roles = guess.roles
    for column in roles.stages.values():
        for row in table.rows:
            text = row[at[column]].strip()
            if not text or text in guess.tokens:
                continue
            if GROUPED.fullmatch(text):
                guess.grouped.add(column)
                continue
            try:
                whole_number(text)
            except NumberFault as fault:
                if text.lower() in _BLANKS:
                    guess.tokens[text] = "not reported"
                elif fault.what not in ("text in a number", "not a number"):
                    guess.unsure.append(f"{text!r} in column {column!r}: {fault.what}; {fault.do}")
                else:
                    guess.tokens[text] = proposed_meaning(text)
                    if guess.tokens[text] == "not reported":
                        held = "a small count held back, such as suppressed 1..4"
                        other = (
                            "what it says of a number, such as at least 100"
                            if re.search("[0-9]", text)
                            else held
                        )
                        guess.unsure.append(f"what {text!r} in {column!r} means: not reported, or {other}")
    if guess.grouped:
        guess.said.append(f"thousands separators are removed from {', '.join(sorted(guess.grouped))}")
    for text, meaning in guess.tokens.items():
        guess.said.append(f"{text!r} in a number's field is read as {meaning!r}")
    _find_exceeding(table, at, guess)
    if len(roles.stages) < 2:
        guess.unsure.append("a funnel needs two stages: fewer columns of counts were found")


def _find_exceeding(table: Table, at: dict[str, int], guess: Guess) -> None:
    """Stages that exceed the nearest earlier stage given in the same row."""
    for number, row in zip(table.numbers, table.rows, strict=True):
        before: float | None = None
        for stage, column in guess.roles.stages.items():
            count = plain(row[at[column]])
            if before is not None and count is not None and count > before and stage not in guess.exceeding:
                guess.exceeding[stage] = number
                guess.said.append(f"{stage} exceeds an earlier stage in row {number}: its unit must differ")
            before = before if count is None else count


def plain(text: str) -> float | None:
    """A plain count, thousands separators allowed; None for anything else."""
    text = text.strip()
    try:
        return whole_number(re.sub("[^0-9]", "", text) if GROUPED.fullmatch(text) else text)
    except NumberFault:
        return None


def _add_up_months(table: Table, at: dict[str, int], guess: Guess) -> None:
    """Months become quarters where every number is plain; any other repeated row stays as it is."""
    distinct = [list(row) for row in dict.fromkeys(map(tuple, table.rows))]
    texts = period_texts(replace(table, rows=distinct), guess.roles)
    cells = [_cell(row, at, guess) for row in distinct]
    periods = guess.periods
    if periods is None or not periods.months:
        labels = periods.labels if periods else {}
        seen = Counter((labels.get(text, text), *cell[:2]) for text, cell in zip(texts, cells, strict=True))
        repeated = sum(number > 1 for number in seen.values())
        if repeated:
            guess.unsure.append(
                f"{repeated} cells have several rows of one period, which are not added up: which of them holds "
                "([[prefer]] a source, [intake] as_of); where they tell how outcomes arrive, [kind.immature] "
                "horizon; validate names those that disagree"
            )
        return
    fields = (row[at[column]].strip() for column in guess.roles.stages.values() for row in distinct)
    odd = next((text for text in fields if text and plain(text) is None), None)
    if odd is not None:
        labels = {text: label for text, label in periods.labels.items() if text not in periods.months}
        guess.periods = replace(periods, labels=labels, months={})
        guess.unsure.append(
            f"months are left as they are, and validate refuses them: with a text such as {odd!r} among the "
            "numbers they cannot be added up to quarters; give quarters, numbers or empty fields"
        )
        return
    guess.add_up = True
    guess.said.append("months are added up to quarters in the query below")
    guess.unsure += parts_of_quarters(periods, texts, cells)
    guess.unsure += months_twice(periods, texts, cells)
    for stage, column in guess.roles.stages.items():
        counts = [row[at[column]] for row in distinct]
        guess.unsure += sums_not_known(periods, texts, cells, stage, counts)


def _cell(row: Sequence[str], at: dict[str, int], guess: Guess) -> tuple[str, ...]:
    """What a row speaks of besides its period, in the names that the plan gives."""
    named = {key: row[at[column]] for key, column in guess.roles.keys.items()}
    keys = ("offense", "jurisdiction", "source_id", "origin", "clock", "as_of")
    raw = {key: named.get(key, "") for key in keys}
    return tuple(guess.values.get(key, {}).get(text, text.strip()) for key, text in raw.items())
