"""Which column of somebody's table is what: by its name first, then by what it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..data.names import CLOSED_WITHOUT, LONG_COLUMNS, LONG_OPTIONAL, ROOT, SHARE_OF, WIDE_KEYS, WIDE_OPTIONAL
from ..data.table import Table
from ..data.tokens import decimal_number
from .periods import read_periods

STAGES: Final = ("referral", "investigation", "arrest", "prosecution", "conviction")
_WORDS: Final = {
    "period": "period quarter qtr year yr date month fiscal fy time jahr ano año",
    "jurisdiction": "jurisdiction state county district region agency country place area city department "
    "office force taskforce location territory province municipality precinct",
    "offense": "offense offence crime category type violation incident charge_type",
    "referral": "referral referrals referred report reports reported tip tips cybertip cybertips lead leads "
    "complaint complaints received incoming intake",
    "investigation": "investigation investigations investigated case cases opened inquiry inquiries",
    "arrest": "arrest arrests arrested arrestees detained apprehended",
    "prosecution": "prosecution prosecutions prosecuted charged charges filed indicted indictments",
    "conviction": "conviction convictions convicted guilty sentenced",
    "source_id": "source source_id reference citation",
    "note": "note notes comment comments remark remarks",
}
_ROLE_OF: Final = {word: role for role, words in _WORDS.items() for word in words.split()}
_RESERVED: Final = {*WIDE_KEYS, *WIDE_OPTIONAL, *LONG_COLUMNS, *LONG_OPTIONAL, ROOT}
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_PART: Final = re.compile(r"quarter|qtr|\bq\b|month")
# 12.0 is a count, and 1.204 may be one.
_SHARE: Final = re.compile(
    r"[0-9.,]+\s*%|0?[.,](?!0+$)[0-9]+|[0-9]+[.,](?!0+$)(?:[0-9]{1,2}|[0-9]{4,})",
)
_SHARE_WORDS: Final = frozenset(["%", "percent", "percentage", "pct", "rate", "ratio", "share", "proportion"])
MOSTLY: Final = 0.6


@dataclass
class Roles:
    """Columns by what they are.

    Parameters
    ----------
    keys : dict of str to str
        Standard column to the name in the table.
    stages : dict of str to str
        Stage to the name in the table, in funnel order.
    within : str or None
        The column that holds the quarter or month where ``period`` holds the year alone.
    joiner : str
        What stands between the two when they are read as one text.
    said, unsure : list of str
        Why, and what could not be told.
    """

    keys: dict[str, str] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    within: str | None = None
    joiner: str = " "
    said: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


def find_roles(table: Table) -> Roles:
    """The roles of a table's columns."""
    roles = Roles()
    cells = {name: [row[i].strip() for row in table.rows] for i, name in enumerate(table.columns)}
    filled = {name: [cell for cell in column if cell] for name, column in cells.items()}
    _part_of_year(table.columns, filled, roles)
    shares = [name for name in table.columns if _shares(name, filled[name])]
    closed = [name for name in table.columns if _slug(name).startswith(CLOSED_WITHOUT)]
    dated = [name for name in table.columns if filled[name] and _periods(filled[name])]
    # Beside a column that is named as a period, 1980 and 2010 in another one are counts.
    dated = [name for name in dated if named_role(name) == "period"] or dated
    numeric = [
        name
        for name in table.columns
        if name not in (*shares, *closed, *dated, *WIDE_OPTIONAL)
        and _counts(filled[name])
        and name != roles.within
        and not (named_role(name) == "period" and _periods_read(filled[name]) >= MOSTLY)
    ]
    _keys_by_name(table.columns, filled, numeric, roles)
    _keys_by_content(table.columns, filled, numeric, roles)
    _stages([name for name in table.columns if name not in (*shares, *closed)], numeric, roles)
    if roles.within is not None:
        roles.said.append(
            f"the year and its part stand apart, in {roles.keys['period']!r} and {roles.within!r}"
        )
    taken = {*roles.keys.values(), *roles.stages.values(), roles.within}
    shares = [name for name in shares if name not in taken]
    if shares:
        roles.unsure.append(f"columns of shares are no stages and not used: {', '.join(shares)}")
    for name in closed:
        roles.unsure.append(
            f"{name!r} counts units closed without a later stage and is no stage of its own: add "
            f'{CLOSED_WITHOUT}<stage> = "{name}" to columns to have it read'
        )
    taken |= {*shares, *closed}
    unread = [name for name in table.columns if name not in taken]
    if unread:
        roles.unsure.append(f"columns not used: {', '.join(unread)}")
    return roles


def named_role(column: str) -> str | None:
    """The role a column's name speaks of; None for none, or for several."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-zà-ÿ])(?=[A-Z])", " ", column))
    found = [_ROLE_OF[word.lower()] for word in words if word.lower() in _ROLE_OF]
    joined = "_".join(word.lower() for word in words)
    if joined in _ROLE_OF:
        return _ROLE_OF[joined]
    distinct = dict.fromkeys(found)
    # A name that speaks of several things ends in what it is: "report date" is a date, "charge type" a type.
    return None if not distinct else found[-1] if len(distinct) > 1 else next(iter(distinct))


def stage_name(column: str) -> str:
    """A column's name as the name of a stage."""
    name = _slug(column)
    return f"{name}_count" if name in _RESERVED or name.startswith((SHARE_OF, CLOSED_WITHOUT)) else name


def _slug(column: str) -> str:
    return re.sub(r"\W+", "_", column.strip().lower()).strip("_") or "stage"


def _shares(column: str, values: Sequence[str]) -> bool:
    """A percentage or a rate, by its name or by mostly holding fractions."""
    words = set(re.findall(r"[^\W\d_]+|%", column.lower()))
    return bool(words & _SHARE_WORDS) or (
        bool(values) and sum(_SHARE.fullmatch(text) is not None for text in values) >= MOSTLY * len(values)
    )


def _counts(values: Sequence[str]) -> bool:
    """Mostly numbers, or texts about a number such as "<5"."""
    return bool(values) and sum(map(_about_a_number, values)) >= MOSTLY * len(values)


def _about_a_number(text: str) -> bool:
    try:
        decimal_number(re.sub(r"[,' \u00a0\u202f]", "", text))
    except ValueError:
        return bool(re.fullmatch(r"[<>≤≥~≈n\s=]*\d[\d,. ]*\+?|\*+|\d+\s*[-–]\s*\d+", text))
    return True


def _periods(values: Iterable[str]) -> bool:
    return read_periods(values) is not None


def _periods_read(values: Sequence[str]) -> float:
    """The share of texts that are periods, each by itself."""
    return sum(read_periods([text]) is not None for text in values) / max(len(values), 1)


def _part_of_year(columns: Sequence[str], filled: dict[str, list[str]], roles: Roles) -> None:
    """A column of quarters or months beside a column of years."""
    years = [name for name in columns if filled[name] and all(_YEAR.fullmatch(text) for text in filled[name])]
    for name in columns:
        match = _PART.search(name.lower())
        values = filled[name]
        if not years or name in years or match is None or not values or _periods(values):
            continue
        digits = any(text.isdigit() for text in values)
        joiner = " " if not digits else " Q" if match[0].startswith("q") else "-"
        if _periods_read([f"2024{joiner}{text}" for text in values]):
            roles.keys["period"], roles.within, roles.joiner = years[0], name, joiner
            return


def _keys_by_name(
    columns: Sequence[str], filled: dict[str, list[str]], numeric: Sequence[str], roles: Roles
) -> None:
    for key in (*WIDE_KEYS, *WIDE_OPTIONAL):
        named = [name for name in columns if (name == key or named_role(name) == key) and name not in numeric]
        if key == "period" and key in roles.keys:
            continue
        if key == "period":
            named = [name for name in named if _periods(filled[name])]
        elif not named and key in WIDE_KEYS:
            named = [name for name in columns if name == key]
        named.sort(key=lambda name: name != key)
        if not named:
            continue
        roles.keys[key] = named[0]
        if named[0] != key:
            roles.said.append(f"{key} is column {named[0]!r}, by its name")
        if len(named) > 1:
            roles.unsure.append(f"{key} could also be {', '.join(map(repr, named[1:]))}")


def _keys_by_content(
    columns: Sequence[str], filled: dict[str, list[str]], numeric: Sequence[str], roles: Roles
) -> None:
    if "period" not in roles.keys:
        free = [name for name in columns if name not in roles.keys.values()]
        dated = [name for name in free if filled[name] and _periods(filled[name])]
        if dated:
            roles.keys["period"] = dated[0]
            roles.said.append(f"period is column {dated[0]!r}: it holds {filled[dated[0]][0]!r} and the like")
        # One odd text makes no column of periods another thing; it is refused, and the others are read.
        partly = [
            name
            for name in free
            if name not in numeric
            and filled[name]
            and (named_role(name) == "period" or _periods_read(filled[name]) >= MOSTLY)
        ]
        if partly and not dated:
            roles.keys["period"] = max(partly, key=lambda name: _periods_read(filled[name]))
            roles.said.append(f"period is column {roles.keys['period']!r}, though not all of it is periods")
    texts = [
        name
        for name in columns
        if name not in (*roles.keys.values(), roles.within)
        and name not in numeric
        and filled[name]
        and named_role(name) not in STAGES
        and len(set(filled[name])) <= max(2, len(filled[name]) // 2)
    ]
    # A table lists more places than offenses, as a rule.
    texts.sort(key=lambda name: -len(set(filled[name])))
    for key in ("jurisdiction", "offense"):
        if key not in roles.keys and texts:
            roles.keys[key] = texts.pop(0)
            many = len(set(filled[roles.keys[key]]))
            roles.said.append(
                f"{key} is column {roles.keys[key]!r}: a text column with {many} different values"
            )
            roles.unsure.append(f"whether {roles.keys[key]!r} really is the {key}")


def _stages(columns: Sequence[str], numeric: Sequence[str], roles: Roles) -> None:
    """Count columns become stages: in funnel order where their names tell it, else as they stand."""
    free = [name for name in columns if name not in roles.keys.values()]
    known = {name: role for name in free if (role := named_role(name)) in STAGES}
    once = [name for name, role in known.items() if list(known.values()).count(role) == 1]
    counts = [name for name in free if name in known or name in numeric]
    if len(known) >= 2 and len(once) == len(known):
        for name in sorted(known, key=lambda name: STAGES.index(known[name])):
            roles.stages[known[name]] = name
            if name != known[name]:
                roles.said.append(f"{known[name]} is column {name!r}, by its name")
        return
    for name in counts:
        stage = known[name] if name in once else stage_name(name)
        while stage in roles.stages:
            stage += "_2"
        roles.stages[stage] = name
    if counts:
        roles.said.append(
            f"the stages are the columns of counts, in the order of the table: {', '.join(counts)}"
        )
        roles.unsure.append(
            "whether these columns are stages of one funnel, and whether they stand in its order"
        )
